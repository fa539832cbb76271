/* Wrong: EPOLLRDHUP says that the client sends no more, not that its bytes
 * have been read and echoed; they are lost.
 * Fails: echo
 * Line: 132
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
    char *at;
    size_t left;
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

static int temporary(int err)
{
    return err == EAGAIN || err == EINTR;
}

static int arm(int ep, int op, struct conn *c)
{
    struct epoll_event ev = {.events = EPOLLRDHUP, .data.ptr = c};

    ev.events |= c->left > 0 ? EPOLLOUT : EPOLLIN;
    return epoll_ctl(ep, op, c->fd, &ev);
}

/* Returns 0 while the connection goes on. */
static int serve(struct conn *c, unsigned events)
{
    ssize_t n;

    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        return -1;
    if (c->left == 0) {
        n = read(c->fd, c->buf, sizeof(c->buf));
        if (n < 0)
            return temporary(errno) ? 0 : -1;
        if (n == 0)
            return -1;
        c->at = c->buf;
        c->left = n;
    }
    n = write(c->fd, c->at, c->left);
    if (n < 0)
        return temporary(errno) ? 0 : -1;
    c->at += n;
    c->left -= n;
    return 0;
}

static void end(struct conn *c)
{
    close(c->fd);
    free(c);
}

/* Returns how long to leave the listener alone, -1 for not at all. */
static int take(int ep, int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    struct conn *c;

    if (fd < 0)
        return temporary(errno) || errno == ECONNABORTED || errno == EPROTO
                   ? -1
                   : 100;
    if ((c = malloc(sizeof(*c))) == NULL) {
        close(fd);
        return -1;
    }
    c->fd = fd;
    c->left = 0;
    if (arm(ep, EPOLL_CTL_ADD, c) < 0)
        end(c);
    return -1;
}

int main(int argc, char **argv)
{
    struct epoll_event ev[10], lev = {.events = EPOLLIN, .data.ptr = NULL};
    int ep, i, n, listener, rest_ms = -1;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    listener = open_listener(argv[1]);
    if ((ep = epoll_create(1)) < 0 ||
        epoll_ctl(ep, EPOLL_CTL_ADD, listener, &lev) < 0) {
        perror("epoll");
        return 1;
    }
    for (;;) {
        n = epoll_wait(ep, ev, 10, rest_ms); /* BUG */
        if (n < 0) {
            if (errno == EINTR)
                continue;
            perror("epoll_wait");
            return 1;
        }
        rest_ms = -1;
        for (i = 0; i < n; i++) {
            struct conn *c = ev[i].data.ptr;

            if (c == NULL)
                rest_ms = take(ep, listener);
            else if (serve(c, ev[i].events) < 0 ||
                     arm(ep, EPOLL_CTL_MOD, c) < 0)
                end(c);
        }
        lev.events = rest_ms < 0 ? EPOLLIN : 0;
        epoll_ctl(ep, EPOLL_CTL_MOD, listener, &lev);
    }
}
