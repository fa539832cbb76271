/* forked.c - step 3: an echo server with a process for each connection.
 *
 * Run it:  build/forked 4000  and, several times:  build/client localhost 4000
 *
 * fork() gives the child a copy of every descriptor. The parent goes on
 * accepting, the child talks to its client. Each closes what is the other's:
 * a connection ends only when its last descriptor is closed, so one that the
 * parent forgot to close stays open for ever.
 *
 * Its rules, beside the common ones of the lab sheet:
 * - One child for each connection, any number at once. A slow or silent
 *   client delays no other.
 * - The parent keeps no connection's descriptor, a child keeps not the
 *   listening one. A child ends when its connection ends.
 * - A failing fork() costs that client only.
 * - Not graded yet: the zombies that it leaves. They are step 4.
 *
 * Read: fork(2) with its ERRORS, _exit(2), close(2), accept(2)
 */
#include "net.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The child: one connection, to its end, which is also the process's. */
static void serve(int listener, int fd)
{
    if (close(listener) == -1)
        perror("close");
    if (echo(fd) == 0)
        _exit(EXIT_SUCCESS);
    fprintf(stderr, "a connection broke: %s\n", strerror(errno));
    /* _exit(2): exit() would run what the parent has registered for its own
     * end, and write its unwritten output a second time */
    _exit(EXIT_FAILURE);
}

/* Gives the connection to a child of its own. */
static void hand_over(int listener, int fd)
{
    switch (fork()) {
    case -1:
        /* fork(2), ERRORS: EAGAIN or ENOMEM; this client has to go */
        perror("fork");
        break;
    case 0:
        serve(listener, fd);
        break; /* not reached */
    default:
        break;
    }
    /* The child has its own copy; while ours is open, the client sees no end */
    if (close(fd) == -1)
        perror("close");
}

/* Takes connections from `listener` and gives each a process, for ever. */
static void serve_all(int listener)
{
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd != -1) {
            hand_over(listener, fd);
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
