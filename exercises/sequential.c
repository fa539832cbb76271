/* sequential.c - step 2: an echo server that serves one client after the
 * other.
 *
 * Run it:  build/sequential 4000  and elsewhere:  build/client localhost 4000
 *
 * A listening socket is a queue: the kernel shakes hands with clients even
 * while you are busy, and accept() takes the next one out. Each connection is
 * a descriptor of its own. Serve it to its end, close it, take the next.
 *
 * Its rules, beside the common ones of the lab sheet:
 * - It serves one connection at a time, to its end; those that wait in the
 *   backlog come next, in turn, and none is lost.
 * - Each byte goes back once, in order, as soon as it can. What was read is
 *   sent back before the connection is closed.
 * - A connection that breaks costs that connection only, and a failing
 *   accept() at most the client it was for. While descriptors or memory are
 *   short, it waits without spinning.
 * - Not asked yet: a client that vanishes may still end the server by
 *   SIGPIPE. That is step 5.
 *
 * Read: socket(7), tcp(7), listen(2), accept(2) with its ERRORS, close(2)
 */
#include "net.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* TODO: serve one connection: echo() until the client is done, then
 * close() it. */

/* Takes connections from `listener`, one after the other, for ever. */
static void serve_all(int listener)
{
    (void)listener; /* TODO: accept(), serve, again; if accept() fails? */
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
