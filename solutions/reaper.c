/* reaper.c - step 4: the forked server, which also buries its children.
 *
 * Run it:  build/reaper 4000  and look at  ps x  after some clients have gone
 *
 * A child that has ended stays in the process table, a zombie, until its
 * parent has asked how it ended. The kernel sends SIGCHLD when there is
 * something to ask; but signals of one kind do not queue: one may stand for
 * many children.
 *
 * Its rules, beside the common ones and those of forked:
 * - A child that has ended is reaped. Once the server is at rest, none of its
 *   children is a zombie, whether they ended one by one, all at once, or
 *   while the parent was busy or stopped.
 * - A SIGCHLD at any moment costs nothing: accept() is tried again, no live
 *   child is waited for, errno survives the handler.
 * - A handler calls async-signal-safe functions only.
 *
 * Read: waitpid(2) and its WNOHANG, sigaction(2), signal(7) and its list of
 *       interrupted calls, signal-safety(7)
 */
#include "net.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Buries all children that have ended, and waits for none that lives. */
static void reap(int signal_number)
{
    int saved = errno; /* the program may be about to look at it */

    (void)signal_number;
    /* waitpid(2), WNOHANG: 0 when none of them has ended, -1 when there are
     * none. A loop: this one signal may stand for several children. */
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
    errno = saved;
}

static int start_reaping(void)
{
    /* signal(7): with SA_RESTART, accept() goes on by itself */
    struct sigaction action = {
        .sa_handler = reap,
        .sa_flags = SA_RESTART | SA_NOCLDSTOP,
    };

    sigemptyset(&action.sa_mask);
    return sigaction(SIGCHLD, &action, NULL);
}

/* The child: one connection, to its end, which is also the process's. */
static void serve(int listener, int fd)
{
    /* fork(2): dispositions are inherited. This process has no children. */
    if (signal(SIGCHLD, SIG_DFL) == SIG_ERR)
        perror("signal");
    if (close(listener) == -1)
        perror("close");
    if (echo(fd) == 0)
        _exit(EXIT_SUCCESS);
    fprintf(stderr, "a connection broke: %s\n", strerror(errno));
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
    if (close(fd) == -1)
        perror("close");
}

/* Takes connections from `listener` and gives each a process, for ever. */
static void serve_all(int listener)
{
    /* Before the first fork(): a child may end before we go on. */
    if (start_reaping() == -1) {
        perror("sigaction");
        exit(EXIT_FAILURE);
    }
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
