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

/* TODO: the handler of SIGCHLD; then the functions of your forked.c. */

/* Takes connections from `listener` and gives each a process, for ever. */
static void serve_all(int listener)
{
    (void)listener; /* TODO: install the handler, then as in forked.c */
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
