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

static void count_broken(void)
{
    static unsigned long broken;

    printf("broken connections: %lu\n", ++broken);
    /* setbuf(3): into a pipe or a file, a line would wait for more of them */
    if (fflush(stdout) == EOF)
        perror("standard output");
}

/* One connection, to its end. */
static void serve(int fd)
{
    if (echo(fd) == -1)
        count_broken();
    if (close(fd) == -1)
        perror("close");
}

/* Takes connections from `listener`, one after the other, for ever. */
static void serve_all(int listener)
{
    /* write(2), EPIPE: with SIGPIPE ignored, write() fails instead, and the
     * error belongs to that connection */
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
        perror("signal");
        exit(EXIT_FAILURE);
    }
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd != -1) {
            serve(fd);
            continue;
        }
        /* accept(2), ERRORS: these concern one client that has already gone,
         * or a signal. Any other, EMFILE and ENFILE, ENOBUFS and ENOMEM above
         * all, lasts for a while: asking again at once would only spin. */
        if (errno != ECONNABORTED && errno != EPROTO && errno != EINTR)
            poll(NULL, 0, 100);
    }
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
