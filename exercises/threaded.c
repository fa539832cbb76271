/* threaded.c - step 6: an echo server with a thread for each connection.
 *
 * Run it:  build/threaded 4000  and end it by Ctrl-C, or by kill PID
 *
 * Threads share everything: descriptors, memory, and what the process does
 * with a signal. So two of them that add to one total at once may lose one
 * addition, a variable of main's may have changed before the new thread reads
 * it, and a signal goes to any thread that has not blocked it.
 *
 * Its rules, beside the common ones of the lab sheet:
 * - One thread for each connection, any number at once. A slow or silent
 *   client delays no other. A thread that ends leaves nothing behind.
 * - It keeps two totals, guarded: connections that have ended, and bytes
 *   written back so far.
 * - On SIGINT or SIGTERM it stops accepting, prints on stdout
 *       served C connections, B bytes
 *   and exits with 0, without waiting for idle clients. A thread that serves
 *   has both signals blocked before its first call on the socket.
 * - A vanished client ends its connection only; so does a failing
 *   pthread_create().
 *
 * Read: pthreads(7), pthread_create(3), pthread_detach(3),
 *       pthread_mutex_lock(3), pthread_sigmask(3), signalfd(2) or ppoll(2)
 */
#include "net.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* TODO: the signals; the totals and their mutex; the thread; how main
 * makes one and hands it the descriptor. */

/* Takes connections from `listener` and gives each a thread, until SIGINT or
 * SIGTERM. Returns the program's exit status. */
static int serve_all(int listener)
{
    (void)listener;
    return EXIT_SUCCESS; /* TODO: wait for clients and for the signals */
}

int main(int argc, char *argv[])
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    /* TODO: block both signals. Why before there is a listener? */
    int listener = tcp_listen(argv[1]);
    if (listener == -1) {
        net_report(argv[0]);
        return EXIT_FAILURE;
    }
    return serve_all(listener);
}
