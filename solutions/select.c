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

/* piece[start..end) was read and is still to be sent back. No more is read,
 * not even the end, before all of it is gone: that bounds our memory, and TCP
 * tells the client to wait. */
struct connection {
    size_t start, end;
    char piece[16384];
};

/* By descriptor; NULL where there is no connection. */
static struct connection *connections[FD_SETSIZE];

/* Not a failure: interrupted, or, select(2), BUGS: reported ready, but not. */
static bool is_passing(int error)
{
    return error == EINTR || error == EAGAIN;
}

/* A new socket has no other status flags that would have to be kept. */
static int set_nonblocking(int fd)
{
    return fcntl(fd, F_SETFL, O_NONBLOCK);
}

static void finish(int fd)
{
    free(connections[fd]);
    connections[fd] = NULL;
    if (close(fd) == -1)
        perror("close");
}

/* Each does what can be done now. They return false when the connection is
 * over: the client has ended it and got everything back, or it broke. */
static bool take(int fd, struct connection *to)
{
    ssize_t n = read(fd, to->piece, sizeof(to->piece));

    if (n == -1)
        return is_passing(errno);
    to->start = 0;
    to->end = (size_t)n;
    return n > 0;
}

static bool give_back(int fd, struct connection *from)
{
    ssize_t n = write(fd, from->piece + from->start, from->end - from->start);

    if (n == -1)
        return is_passing(errno);
    from->start += (size_t)n;
    return true;
}

static bool is_pending(const struct connection *connection)
{
    return connection->start < connection->end;
}

static void take_turn(int fd)
{
    struct connection *connection = connections[fd];
    bool goes_on = is_pending(connection) || take(fd, connection);

    if (goes_on && is_pending(connection))
        goes_on = give_back(fd, connection);
    if (!goes_on)
        finish(fd);
}

/* A new connection, or none, if something is missing for it: then the client
 * is turned away. */
static void begin(int fd)
{
    /* select(2): FD_SET() beyond FD_SETSIZE writes past the end of the set */
    if (fd >= FD_SETSIZE || set_nonblocking(fd) == -1) {
        close(fd);
        return;
    }
    connections[fd] = malloc(sizeof(*connections[fd]));
    if (!connections[fd]) {
        close(fd);
        return;
    }
    connections[fd]->start = connections[fd]->end = 0;
}

/* Takes one connection. Returns false if it had better wait for a while. */
static bool take_connection(int listener)
{
    int fd = accept(listener, NULL, NULL);

    if (fd != -1) {
        begin(fd);
        return true;
    }
    /* accept(2), ERRORS: a client that has already gone; a shortage lasts */
    return is_passing(errno) || errno == ECONNABORTED || errno == EPROTO;
}

/* Asks for what each connection can use. Returns the highest descriptor. */
static int fill_sets(fd_set *readable, fd_set *writable)
{
    int highest = -1;

    FD_ZERO(readable);
    FD_ZERO(writable);
    for (int fd = 0; fd < FD_SETSIZE; fd++) {
        if (!connections[fd])
            continue;
        /* Room to write is nearly always there: ask only if it is needed, or
         * select() would never wait. */
        FD_SET(fd, is_pending(connections[fd]) ? writable : readable);
        highest = fd;
    }
    return highest;
}

/* Before the first client. Returns 0, or -1 after a message. */
static int prepare(int listener)
{
    if (listener >= FD_SETSIZE) {
        fprintf(stderr, "descriptor %d: too high for select\n", listener);
        return -1;
    }
    /* accept(2), NOTES: a client may be gone again after select() */
    if (set_nonblocking(listener) == -1) {
        perror("fcntl");
        return -1;
    }
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
        perror("signal");
        return -1;
    }
    return 0;
}

/* Waits until something can be done, and does it. While `rest` is not 0, a
 * shortage lasts, and the listener, which stays readable, is left alone. */
static void take_turns(int listener, struct timeval *rest)
{
    fd_set readable, writable;
    int highest = fill_sets(&readable, &writable);
    bool resting = timerisset(rest);

    if (!resting) {
        FD_SET(listener, &readable);
        highest = listener > highest ? listener : highest;
    }
    /* select(2): Linux takes the time that has passed off the time-out */
    if (select(highest + 1, &readable, &writable, NULL,
               resting ? rest : NULL) == -1) {
        if (errno != EINTR) /* select(2), ERRORS: ENOMEM */
            poll(NULL, 0, 100);
        return;
    }
    for (int fd = 0; fd <= highest; fd++)
        if (connections[fd] &&
            (FD_ISSET(fd, &readable) || FD_ISSET(fd, &writable)))
            take_turn(fd);
    if (FD_ISSET(listener, &readable) && !take_connection(listener))
        rest->tv_usec = 100000;
}

/* Takes connections from `listener` and serves them all, for ever. */
static void serve_all(int listener)
{
    struct timeval rest = {0};

    if (prepare(listener) == -1)
        exit(EXIT_FAILURE);
    for (;;)
        take_turns(listener, &rest);
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
