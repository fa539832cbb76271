/* Wrong: SIGUSR1 shall only switch its log on, but the wait that it
 * interrupts is taken for a failed one.
 * Fails: interrupt
 * Line: 154
 */
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
    int eof;
    unsigned interest;
    size_t off, len;
    char buf[4096];
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

static volatile sig_atomic_t logging;

static void on_usr1(int sig)
{
    (void)sig;
    logging = 1;
}

static void finish(struct conn *c)
{
    if (logging)
        fprintf(stderr, "%d has ended\n", c->fd);
    close(c->fd); /* leaves the epoll set by itself */
    free(c);
}

static int set_interest(int ep, struct conn *c, int op)
{
    struct epoll_event ev = {.data.ptr = c};

    if (!c->eof && c->len < sizeof(c->buf))
        ev.events |= EPOLLIN;
    if (c->len > 0)
        ev.events |= EPOLLOUT;
    if (op == EPOLL_CTL_MOD && ev.events == c->interest)
        return 0;
    c->interest = ev.events;
    return epoll_ctl(ep, op, c->fd, &ev);
}

static void watch_listener(int ep, int listener, unsigned events, int op)
{
    struct epoll_event ev = {.events = events, .data.ptr = NULL};

    if (epoll_ctl(ep, op, listener, &ev) < 0) {
        perror("epoll_ctl");
        exit(1);
    }
}

/* Returns 1 when a resource is short. */
static int take(int ep, int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct conn *c;

    if (fd < 0)
        return errno != EAGAIN && errno != EINTR && errno != ECONNABORTED &&
               errno != EPROTO;
    if ((c = calloc(1, sizeof(*c))) == NULL) {
        close(fd);
        return 0;
    }
    c->fd = fd;
    if (set_interest(ep, c, EPOLL_CTL_ADD) < 0)
        finish(c);
    return 0;
}

static int serve(struct conn *c)
{
    ssize_t n;

    if (!c->eof && c->len < sizeof(c->buf)) {
        n = recv(c->fd, c->buf + c->len, sizeof(c->buf) - c->len, 0);
        if (n == 0)
            c->eof = 1;
        else if (n > 0)
            c->len += n;
        else if (errno != EAGAIN && errno != EINTR)
            return -1;
    }
    if (c->len > c->off) {
        n = send(c->fd, c->buf + c->off, c->len - c->off, MSG_NOSIGNAL);
        if (n > 0)
            c->off += n;
        else if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -1;
    }
    if (c->off == c->len)
        c->off = c->len = 0;
    return c->eof && c->len == 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
    struct sigaction sa = {.sa_handler = on_usr1};
    struct epoll_event ready[32];
    int ep, listener, paused = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    sigaction(SIGUSR1, &sa, NULL);
    listener = open_listener(argv[1]);
    if ((ep = epoll_create1(0)) < 0) {
        perror("epoll_create1");
        return 1;
    }
    watch_listener(ep, listener, EPOLLIN, EPOLL_CTL_ADD);
    for (;;) {
        int i, n = epoll_wait(ep, ready, 32, paused ? 100 : -1); /* BUG */

        if (n < 0) {
            perror("epoll_wait");
            return 1;
        }
        if (paused) {
            watch_listener(ep, listener, EPOLLIN, EPOLL_CTL_MOD);
            paused = 0;
        }
        for (i = 0; i < n; i++) {
            struct conn *c = ready[i].data.ptr;

            if (c == NULL)
                paused = take(ep, listener);
            else if (serve(c) < 0 || set_interest(ep, c, EPOLL_CTL_MOD) < 0)
                finish(c);
        }
        if (paused)
            watch_listener(ep, listener, 0, EPOLL_CTL_MOD);
    }
}
