/* select.c - step 7: an echo server with neither processes nor threads.
 *
 * Run it:  build/select 4000  and, several times:  build/client localhost 4000
 *
 * One loop asks the kernel which descriptors are ready, and does for each
 * what can be done without waiting. No call but select() may block: whoever
 * waits in read() or write() keeps all others waiting. What a thread would
 * keep on its stack, you keep in a struct for each connection.
 *
 * Its rules, beside the common ones of the lab sheet:
 * - All connections at once, in one process and one thread, by select(),
 *   poll() or epoll.
 * - A client that does not read stalls nobody else. The server stops reading
 *   from it until there is room again, and loses none of its bytes: its memory
 *   does not grow without bound.
 * - It does nothing while nothing happens, and keeps nothing of a connection
 *   that has ended.
 * - With select(), a descriptor that is not below FD_SETSIZE is refused by
 *   closing it, never put in a set.
 * - A vanished client ends its connection only; so does a failing malloc().
 *
 * Read: select(2) to the end of its BUGS, fcntl(2) and its O_NONBLOCK,
 *       accept(2), read(2) and write(2) with EAGAIN
 */
#include "net.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* TODO: what is kept for each connection, and what can be done for one
 * that is ready. */

/* Takes connections from `listener` and serves them all, for ever. */
static void serve_all(int listener)
{
    (void)listener; /* TODO: select(), and serve each that is ready */
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
