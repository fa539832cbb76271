/* Right: select with a time-out of five seconds, at which nothing is due. The
 * next connection has the next free place, round and round. */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROOM 2048

static struct place {
    bool taken, over;
    int fd;
    size_t from, to; /* what is owed: data[from] up to data[to] */
    char data[ROOM];
} place[FD_SETSIZE];
static int highest, last;

static int listening_on(const char *port)
{
    struct addrinfo want = {.ai_socktype = SOCK_STREAM,
                            .ai_family = AF_INET6,
                            .ai_flags = AI_PASSIVE | AI_NUMERICSERV},
                    *found = NULL;
    int fd, no, yes = 1, number = atoi(port);
    char again[16];

    snprintf(again, sizeof again, "%d", number);
    if (strcmp(port, again) || number < 1 || number > 65535)
        errx(EXIT_FAILURE, "%s is no port", port);
    if ((no = getaddrinfo(NULL, port, &want, &found)))
        errx(EXIT_FAILURE, "%s: %s", port, gai_strerror(no));
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) ||
        bind(fd, found->ai_addr, found->ai_addrlen) || listen(fd, SOMAXCONN))
        err(EXIT_FAILURE, "port %s", port);
    freeaddrinfo(found);
    return fd;
}

/* Returns false where there is no room for one more. */
static bool take_one(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

    if (fd < 0)
        return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED ||
               errno == EPROTO;
    if (fd >= FD_SETSIZE) {
        close(fd);
        return true;
    }
    do
        last = (last + 1) % FD_SETSIZE;
    while (place[last].taken); /* there are more places than descriptors */
    place[last] = (struct place){.taken = true, .fd = fd};
    if (fd > highest)
        highest = fd;
    return true;
}

static bool is_lasting(ssize_t result)
{
    return result < 0 && errno != EAGAIN && errno != EINTR;
}

static void serve(struct place *p, bool readable, bool writable)
{
    ssize_t n = 0;

    if (readable) {
        n = recv(p->fd, p->data, ROOM, 0);
        p->over = n == 0;
        p->from = 0;
        p->to = n > 0 ? (size_t)n : 0;
    } else if (writable) {
        n = send(p->fd, p->data + p->from, p->to - p->from, MSG_NOSIGNAL);
        p->from += n > 0 ? (size_t)n : 0;
    }
    if (is_lasting(n) || p->over) {
        close(p->fd);
        p->taken = false;
    }
}

int main(int argc, char **argv)
{
    bool full = false;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        exit(2);
    }
    int listener = highest = listening_on(argv[1]);
    for (;;) {
        struct timeval five = {5, 0}, tenth = {0, 100000};
        fd_set in, out;

        FD_ZERO(&in);
        FD_ZERO(&out);
        if (!full)
            FD_SET(listener, &in);
        for (struct place *p = place; p < place + FD_SETSIZE; p++)
            if (p->taken)
                FD_SET(p->fd, p->from < p->to ? &out : &in);
        int n = select(highest + 1, &in, &out, NULL, full ? &tenth : &five);
        full = false;
        if (n < 0 && errno != EINTR)
            select(0, NULL, NULL, NULL, &tenth);
        if (n <= 0)
            continue;
        for (struct place *p = place; p < place + FD_SETSIZE; p++)
            if (p->taken)
                serve(p, FD_ISSET(p->fd, &in), FD_ISSET(p->fd, &out));
        if (FD_ISSET(listener, &in))
            full = !take_one(listener);
    }
}
