/* Wrong: the listener is edge-triggered and one client taken for each edge;
 * others who came with it wait for an edge that may never come.
 * Fails: concurrency
 * Also: accept
 * Line: none (no loop around accept4)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int listen_on(const char *arg)
{
    char *end;
    long port = strtol(arg, &end, 10);
    int on = 1;
    if (*arg == 0 || *end || port < 0 || port > 65535) {
        fprintf(stderr, "%s: not a port\n", arg);
        exit(1);
    }
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0)
        die("socket");
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(port)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (void *)&sa, sizeof sa) < 0)
        die("bind");
    if (listen(fd, 128) < 0)
        die("listen");
    return fd;
}

#define CAP 8192
struct conn {
    int fd;
    size_t len, off;
    char *buf;
};

/* 0: goes on, -1: over */
static int io(struct conn *c)
{
    ssize_t n;
    if (c->len == 0) {
        n = read(c->fd, c->buf, CAP);
        if (n == 0)
            return -1;
        if (n < 0)
            return errno == EAGAIN || errno == EINTR ? 0 : -1;
        c->len = n;
        c->off = 0;
    }
    n = send(c->fd, c->buf + c->off, c->len, MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    c->off += n;
    c->len -= n;
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        exit(2);
    }
    int lfd = listen_on(argv[1]);
    int ep = epoll_create1(0);
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.ptr = NULL};
    epoll_ctl(ep, EPOLL_CTL_ADD, lfd, &ev);
    int pause = -1;
    for (;;) {
        struct epoll_event evs[64];
        int n = epoll_wait(ep, evs, 64, pause);
        if (pause > 0) {
            pause = -1;
            ev.events = EPOLLIN | EPOLLET;
            ev.data.ptr = NULL;
            epoll_ctl(ep, EPOLL_CTL_ADD, lfd, &ev);
        }
        for (int i = 0; i < n; i++) {
            struct conn *c = evs[i].data.ptr;
            if (!c) {
                int fd;
                do {
                    fd = accept4(lfd, NULL, NULL, SOCK_NONBLOCK);
                } while (fd < 0 && (errno == ECONNABORTED || errno == EPROTO ||
                                    errno == EINTR));
                if (fd < 0) {
                    if (errno == EAGAIN)
                        continue;
                    epoll_ctl(ep, EPOLL_CTL_DEL, lfd, NULL);
                    pause = 100;
                    continue;
                }
                struct conn *k = malloc(sizeof *k);
                if (!k) {
                    close(fd);
                    continue;
                }
                k->fd = fd;
                k->len = k->off = 0;
                k->buf = malloc(CAP);
                if (!k->buf) {
                    free(k);
                    close(fd);
                    continue;
                }
                ev.events = EPOLLIN;
                ev.data.ptr = k;
                epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
                continue;
            }
            if (io(c) < 0) {
                close(c->fd);
                free(c->buf);
                free(c);
                continue;
            }
            ev.events = c->len ? EPOLLOUT : EPOLLIN;
            ev.data.ptr = c;
            epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &ev);
        }
    }
}
