/* sigpipe.c - step 5: a server that survives clients which vanish.
 *
 * Run it:  build/sigpipe 4000  then end a client by  kill -9  in mid-stream
 *
 * A client that vanishes answers what you send with a reset (RST). A later
 * write to that connection raises SIGPIPE, which ends a process that has not
 * said otherwise, and with it a server that has done nothing wrong. Start from
 * your sequential.c, or from any other of your servers.
 *
 * Its rules, beside the common ones and those of the server you start from:
 * - A write to a broken connection ends that connection, not the server (nor,
 *   in a forked one, a child by a signal).
 * - Each time that a connection breaks, which means that a read or write on it
 *   fails, it prints at once, on stdout, the line
 *       broken connections: N
 *   N counts from 1 over the server's life.
 * - A connection that the client ends in order prints nothing. An interrupted
 *   or short call is no break.
 *
 * Read: signal(7), signal(2), write(2) with its ERRORS, send(2) and its
 *       MSG_NOSIGNAL, setbuf(3)
 */
#include "net.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* TODO: print the line; then the functions of your sequential.c. */

/* Takes connections from `listener`, one after the other, for ever. */
static void serve_all(int listener)
{
    (void)listener; /* TODO: see to SIGPIPE, then as in sequential.c */
}

int main(int argc, char *argv[])
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    int listener = tcp_listen(argv[1]);
    if (listener == -1) {
        net_report(argv[0]);
        return EXIT_FAILURE;
    }
    serve_all(listener);
}
