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

/* TODO: what the child does, and how the parent makes one. Who closes
 * which descriptor? */

/* Takes connections from `listener` and gives each a process, for ever. */
static void serve_all(int listener)
{
    (void)listener; /* TODO: accept(), hand over, and again */
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
