/* Right: one shared buffer; only what a write left over is kept in memory of
 * its own until the client takes it. */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct conn {
    int fd;
    char *rest; /* NULL while nothing is left over */
    size_t off, len;
};

static int open_listener(const char *port)
{
    struct addrinfo hints = {.ai_family = AF_INET,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *ai;
    long number = strtol(port, NULL, 10);
    int fd, on = 1, rc = EAI_SERVICE;

    if (number > 0 && number < 65536)
        rc = getaddrinfo(NULL, port, &hints, &ai);
    if (rc != 0) {
        fprintf(stderr, "port %s: %s\n", port, gai_strerror(rc));
        exit(1);
    }
    fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK, 0);
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 ||
        listen(fd, SOMAXCONN) < 0) {
        fprintf(stderr, "cannot listen on %s: %s\n", port, strerror(errno));
        exit(1);
    }
    freeaddrinfo(ai);
    return fd;
}

static void end(struct conn *c)
{
    close(c->fd);
    free(c->rest);
    free(c);
}

static int watch(int ep, int op, int fd, unsigned events, struct conn *c)
{
    struct epoll_event ev = {.events = events, .data.ptr = c};

    return epoll_ctl(ep, op, fd, &ev);
}

/* Writes what goes out at once; returns the count, or -1 at a break. */
static ssize_t push(int fd, const char *data, size_t len)
{
    ssize_t n = write(fd, data, len);

    return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : n;
}

static int echo(int ep, struct conn *c)
{
    static char shared[65536];
    ssize_t n = read(c->fd, shared, sizeof(shared)), sent;

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    if (n == 0 || (sent = push(c->fd, shared, n)) < 0)
        return -1;
    if (sent == n)
        return 0;
    c->off = 0;
    c->len = n - sent;
    if ((c->rest = malloc(c->len)) == NULL)
        return -1;
    memcpy(c->rest, shared + sent, c->len);
    return watch(ep, EPOLL_CTL_MOD, c->fd, EPOLLOUT, c);
}

static int go_on(int ep, struct conn *c)
{
    ssize_t sent = push(c->fd, c->rest + c->off, c->len - c->off);

    if (sent < 0)
        return -1;
    c->off += sent;
    if (c->off < c->len)
        return 0;
    free(c->rest);
    c->rest = NULL;
    return watch(ep, EPOLL_CTL_MOD, c->fd, EPOLLIN, c);
}

/* Returns 0, or -1 when a resource is short. */
static int take(int ep, int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    struct conn *c;

    if (fd < 0)
        return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED ||
                       errno == EPROTO
                   ? 0
                   : -1;
    if ((c = malloc(sizeof(*c))) == NULL) {
        close(fd);
        return 0;
    }
    c->fd = fd;
    c->rest = NULL;
    if (watch(ep, EPOLL_CTL_ADD, fd, EPOLLIN, c) < 0)
        end(c);
    return 0;
}

int main(int argc, char **argv)
{
    int listener, ep, paused = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    listener = open_listener(argv[1]);
    ep = epoll_create1(0);
    if (ep < 0 || watch(ep, EPOLL_CTL_ADD, listener, EPOLLIN, NULL) < 0) {
        perror("epoll");
        return 1;
    }
    for (;;) {
        struct epoll_event ev[16];
        int i, n = epoll_wait(ep, ev, 16, paused ? 100 : -1);

        if (n < 0 && errno != EINTR) {
            perror("epoll_wait");
            return 1;
        }
        if (paused && n >= 0) {
            paused = 0;
            watch(ep, EPOLL_CTL_MOD, listener, EPOLLIN, NULL);
        }
        for (i = 0; i < n; i++) {
            struct conn *c = ev[i].data.ptr;

            if (c == NULL)
                paused = take(ep, listener) < 0;
            else if ((c->rest ? go_on(ep, c) : echo(ep, c)) < 0)
                end(c);
        }
        if (paused)
            watch(ep, EPOLL_CTL_MOD, listener, 0, NULL);
    }
}
