/* Wrong: what a short write leaves over is forgotten.
 * Fails: partial
 * Also: concurrency
 * Line: 82
 */
#include <errno.h>
#include <fcntl.h>
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
    size_t len;
    char buf[32768];
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

static int again(int err)
{
    return err == EAGAIN || err == EINTR;
}

static int set_events(int ep, int op, struct conn *c)
{
    struct epoll_event ev = {.data.ptr = c};

    ev.events = c->len > 0 ? EPOLLOUT : EPOLLIN;
    return epoll_ctl(ep, op, c->fd, &ev);
}

static void drop(struct conn *c)
{
    close(c->fd);
    free(c);
}

/* Returns -1 when the connection is over. */
static int serve(struct conn *c)
{
    ssize_t n;

    if (c->len == 0) {
        n = read(c->fd, c->buf, sizeof(c->buf));
        if (n == 0)
            return -1;
        if (n < 0)
            return again(errno) ? 0 : -1;
        c->len = n;
    }
    n = write(c->fd, c->buf, c->len); /* BUG */
    if (n < 0)
        return again(errno) ? 0 : -1;
    c->len = 0;
    return 0;
}

static int take(int ep, int listener)
{
    int fd = accept(listener, NULL, NULL);
    struct conn *c;

    if (fd < 0)
        return again(errno) || errno == ECONNABORTED || errno == EPROTO;
    if ((c = malloc(sizeof(*c))) == NULL) {
        close(fd);
        return 1;
    }
    c->fd = fd;
    c->len = 0;
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ||
        set_events(ep, EPOLL_CTL_ADD, c) < 0)
        drop(c);
    return 1;
}

int main(int argc, char **argv)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};
    int ep, listener, open = 1;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    listener = open_listener(argv[1]);
    ep = epoll_create1(0);
    if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, listener, &ev) < 0) {
        perror("epoll");
        return 1;
    }
    for (;;) {
        struct epoll_event got, lev = {.data.ptr = NULL};
        int was_open = open;
        int n = epoll_wait(ep, &got, 1, open ? -1 : 100);
        struct conn *c = n == 1 ? got.data.ptr : NULL;

        if (n < 0 && errno != EINTR) {
            perror("epoll_wait");
            return 1;
        }
        if (n < 0)
            continue;
        open = n == 1 && c == NULL ? take(ep, listener) : 1;
        if (c != NULL && (serve(c) < 0 || set_events(ep, EPOLL_CTL_MOD, c) < 0))
            drop(c);
        lev.events = open ? EPOLLIN : 0;
        if (open != was_open)
            epoll_ctl(ep, EPOLL_CTL_MOD, listener, &lev);
    }
}
