/* Right: edge-triggered epoll; what an edge said is remembered until EAGAIN
 * takes it back, and each connection gets one turn a round. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct conn {
    struct conn *next;
    int fd;
    int readable, writable, eof, broken;
    size_t off, len;
    char buf[8192];
};

static struct conn *conns;
static int ep;

static int listen_on(const char *text)
{
    struct sockaddr_in addr = {.sin_family = AF_INET};
    char *end;
    long port = strtol(text, &end, 10);
    int fd, on = 1;

    if (end == text || *end != '\0' || port < 1 || port > 65535) {
        fprintf(stderr, "port %s: %s\n", text, strerror(EINVAL));
        exit(1);
    }
    addr.sin_port = htons(port);
    addr.sin_addr.s_addr = htonl(INADDR_ANY);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
        listen(fd, SOMAXCONN) < 0) {
        perror("cannot listen");
        exit(1);
    }
    return fd;
}

static int watch(int fd, void *who)
{
    struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLET,
                             .data.ptr = who};

    return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
}

static int can_read(const struct conn *c)
{
    return c->readable && !c->eof && c->len < sizeof(c->buf);
}

static int can_write(const struct conn *c)
{
    return c->writable && c->off < c->len;
}

static void fill(struct conn *c)
{
    ssize_t n = read(c->fd, c->buf + c->len, sizeof(c->buf) - c->len);

    if (n > 0)
        c->len += n;
    else if (n == 0)
        c->eof = 1;
    else if (errno == EAGAIN)
        c->readable = 0;
    else if (errno != EINTR)
        c->broken = 1;
}

static void drain(struct conn *c)
{
    ssize_t n = write(c->fd, c->buf + c->off, c->len - c->off);

    if (n > 0)
        c->off += n;
    else if (n < 0 && errno == EAGAIN)
        c->writable = 0;
    else if (n < 0 && errno != EINTR)
        c->broken = 1;
    if (c->off == c->len)
        c->off = c->len = 0;
}

/* Returns 1 when some connection can go on without a new edge. */
static int turn_all(void)
{
    struct conn *c, **link = &conns;
    int more = 0;

    while ((c = *link) != NULL) {
        if (can_read(c))
            fill(c);
        if (!c->broken && can_write(c))
            drain(c);
        if (c->broken || (c->eof && c->len == 0)) {
            *link = c->next;
            close(c->fd);
            free(c);
            continue;
        }
        more |= can_read(c) || can_write(c);
        link = &c->next;
    }
    return more;
}

static void add(int fd)
{
    struct conn *c = calloc(1, sizeof(*c));

    if (c == NULL || watch(fd, c) < 0) {
        free(c);
        close(fd);
        return;
    }
    c->fd = fd;
    c->next = conns;
    conns = c;
}

/* Takes all that wait; returns 1 when a resource is short. */
static int take_all(int listener)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

        if (fd >= 0)
            add(fd);
        else if (errno == EAGAIN)
            return 0;
        else if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
            return 1;
    }
}

int main(int argc, char **argv)
{
    int listener, paused = 0, more = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    listener = listen_on(argv[1]);
    if ((ep = epoll_create1(EPOLL_CLOEXEC)) < 0 || watch(listener, NULL) < 0) {
        perror("epoll");
        return 1;
    }
    for (;;) {
        struct epoll_event ev[64];
        int i, n = epoll_wait(ep, ev, 64, more ? 0 : paused ? 100 : -1);
        int arriving = paused && n >= 0;

        if (n < 0 && errno != EINTR) {
            perror("epoll_wait");
            return 1;
        }
        for (i = 0; i < n; i++) {
            struct conn *c = ev[i].data.ptr;

            if (c == NULL) {
                arriving = 1;
                continue;
            }
            if (ev[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP))
                c->readable = 1;
            if (ev[i].events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
                c->writable = 1;
        }
        more = turn_all();
        if (arriving)
            paused = take_all(listener);
    }
}
