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

static sigset_t stop_signals; /* SIGINT and SIGTERM */

/* pthread_sigmask(3): a new thread inherits its creator's mask. So this comes
 * before there is a thread; and before the port is open, so that nobody can
 * ask us to stop while a signal would still just end us. */
static int block_stop_signals(void)
{
    sigemptyset(&stop_signals);
    sigaddset(&stop_signals, SIGINT);
    sigaddset(&stop_signals, SIGTERM);
    int error = pthread_sigmask(SIG_BLOCK, &stop_signals, NULL);
    if (error == 0)
        return 0;
    fprintf(stderr, "pthread_sigmask: %s\n", strerror(error));
    return -1;
}

static struct {
    pthread_mutex_t lock;
    unsigned long long connections, bytes;
} totals = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* pthread_mutex_lock(3), ERRORS: none that such a mutex can have. */
static void add_to_totals(unsigned connections, size_t bytes)
{
    pthread_mutex_lock(&totals.lock);
    totals.connections += connections;
    totals.bytes += bytes;
    pthread_mutex_unlock(&totals.lock);
}

/* write_all() that counts each write: what it has taken was written back,
 * even if the next one breaks or waits for ever. */
static int send_back(int fd, const char *data, size_t len_bytes)
{
    while (len_bytes > 0) {
        ssize_t n = write(fd, data, len_bytes);

        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1)
            return -1;
        add_to_totals(0, (size_t)n);
        data += n;
        len_bytes -= (size_t)n;
    }
    return 0;
}

/* Until the client ends, or the connection breaks: here, both end it. */
static void echo_counted(int fd)
{
    char piece[16384];
    ssize_t n;

    do {
        n = read(fd, piece, sizeof(piece));
        if (n > 0 && send_back(fd, piece, (size_t)n) == -1)
            return;
    } while (n > 0 || (n == -1 && errno == EINTR));
}

/* A thread: one connection, to its end. */
static void *serve(void *arg)
{
    int fd = (int)(intptr_t)arg;

    echo_counted(fd);
    /* Before close(): a client that sees its end has been counted. */
    add_to_totals(1, 0);
    if (close(fd) == -1)
        perror("close");
    return NULL;
}

/* Gives the connection to a thread of its own. */
static void hand_over(int fd)
{
    pthread_t thread;
    /* The descriptor itself is the argument: a pointer to a variable of ours
     * would show the thread whatever we accept next. */
    int error = pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd);

    if (error != 0) {
        /* pthread_create(3), ERRORS: EAGAIN, returned and not in errno */
        fprintf(stderr, "pthread_create: %s\n", strerror(error));
        close(fd);
        return;
    }
    /* pthread_detach(3): nobody joins it; its stack goes when it ends */
    error = pthread_detach(thread);
    if (error != 0)
        fprintf(stderr, "pthread_detach: %s\n", strerror(error));
}

/* Takes one connection. Returns false if it had better wait for a while. */
static bool take_connection(int listener)
{
    int fd = accept(listener, NULL, NULL);

    if (fd != -1) {
        hand_over(fd);
        return true;
    }
    /* accept(2), ERRORS: a client that has already gone; a shortage lasts */
    return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED ||
           errno == EPROTO;
}

/* Serves until a stop signal can be read from `stops`. */
static void serve_until(int stops, int listener)
{
    bool resting = false; /* a shortage lasts: leave the listener alone */

    for (;;) {
        struct pollfd ready[] = {
            {.fd = stops, .events = POLLIN},
            {.fd = resting ? -1 : listener, .events = POLLIN},
        };

        if (poll(ready, 2, resting ? 100 : -1) == -1) {
            if (errno != EINTR) /* poll(2), ERRORS: ENOMEM */
                poll(NULL, 0, 100);
            continue;
        }
        if (ready[0].revents)
            return;
        resting = ready[1].revents && !take_connection(listener);
    }
}

/* Returns the program's exit status. */
static int print_totals(void)
{
    pthread_mutex_lock(&totals.lock);
    printf("served %llu connections, %llu bytes\n", totals.connections,
           totals.bytes);
    pthread_mutex_unlock(&totals.lock);
    if (fflush(stdout) == 0)
        return EXIT_SUCCESS;
    perror("standard output");
    return EXIT_FAILURE;
}

/* Before the first client. Returns what signalfd() does, or -1 after a
 * message. */
static int prepare(int listener)
{
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
        perror("signal");
        return -1;
    }
    /* accept(2), NOTES: a client may be gone again after poll(), and a
     * listener that blocks would then keep us from the signal */
    if (fcntl(listener, F_SETFL, O_NONBLOCK) == -1) {
        perror("fcntl");
        return -1;
    }
    /* signalfd(2): ready when one of the blocked signals has come; so one
     * poll() waits for clients and for the end, and misses neither */
    int stops = signalfd(-1, &stop_signals, SFD_CLOEXEC);
    if (stops == -1)
        perror("signalfd");
    return stops;
}

/* Takes connections from `listener` and gives each a thread, until SIGINT or
 * SIGTERM. Returns the program's exit status. */
static int serve_all(int listener)
{
    int stops = prepare(listener);

    if (stops == -1)
        return EXIT_FAILURE;
    serve_until(stops, listener);
    if (close(listener) == -1)
        perror("close");
    return print_totals(); /* and with main(), every thread ends */
}

int main(int argc, char *argv[])
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    if (block_stop_signals() == -1)
        return EXIT_FAILURE;
    int listener = tcp_listen(argv[1]);
    if (listener == -1) {
        net_report(argv[0]);
        return EXIT_FAILURE;
    }
    return serve_all(listener);
}
