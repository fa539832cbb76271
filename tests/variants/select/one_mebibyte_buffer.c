/* Right: a mebibyte of buffer for each client, and EPOLLONESHOT armed anew
 * after each turn.
 * Quick: no */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define SIZE (1 << 20)

struct client {
    int fd;
    int eof;
    size_t off, len;
    char *buf;
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int make_listener(const char *text)
{
    struct sockaddr_in any;
    char *end;
    long port;
    int fd, yes = 1;

    errno = 0;
    port = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || port <= 0 || port >= 65536) {
        errno = EINVAL;
        die(text);
    }
    memset(&any, 0, sizeof(any));
    any.sin_family = AF_INET;
    any.sin_port = htons((unsigned short)port);
    if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1)
        die("socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == -1)
        die("setsockopt");
    if (bind(fd, (struct sockaddr *)&any, sizeof(any)) == -1)
        die("bind");
    if (listen(fd, 128) == -1)
        die("listen");
    if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
        die("fcntl");
    return fd;
}

static int again(int err)
{
    return err == EAGAIN || err == EINTR;
}

static void end(struct client *c)
{
    close(c->fd);
    free(c->buf);
    free(c);
}

static int arm(int ep, struct client *c, int op)
{
    struct epoll_event ev = {.events = EPOLLONESHOT, .data.ptr = c};

    if (!c->eof && c->len < SIZE)
        ev.events |= EPOLLIN;
    if (c->len > 0)
        ev.events |= EPOLLOUT;
    return epoll_ctl(ep, op, c->fd, &ev);
}

static void start(int ep, int fd)
{
    struct client *c = malloc(sizeof(*c));

    if (c == NULL) {
        close(fd);
        return;
    }
    *c = (struct client){.fd = fd, .buf = malloc(SIZE)};
    if (c->buf == NULL || fcntl(fd, F_SETFL, O_NONBLOCK) == -1 ||
        arm(ep, c, EPOLL_CTL_ADD) == -1)
        end(c);
}

/* Returns 0 when the client is to be served further. */
static int serve(struct client *c)
{
    ssize_t n;

    if (!c->eof && c->len < SIZE) {
        n = read(c->fd, c->buf + c->len, SIZE - c->len);
        if (n == -1 && !again(errno))
            return -1;
        if (n == 0)
            c->eof = 1;
        if (n > 0)
            c->len += n;
    }
    if (c->off < c->len) {
        n = write(c->fd, c->buf + c->off, c->len - c->off);
        if (n == -1 && !again(errno))
            return -1;
        if (n > 0)
            c->off += n;
        if (c->off == c->len)
            c->off = c->len = 0;
    }
    return c->eof && c->len == 0;
}

static void watch_listener(int ep, int op, int listener, int events)
{
    struct epoll_event ev = {.events = events, .data.ptr = NULL};

    if (epoll_ctl(ep, op, listener, &ev) == -1)
        die("epoll_ctl");
}

int main(int argc, char *argv[])
{
    int ep, listener, fd, paused = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    listener = make_listener(argv[1]);
    if ((ep = epoll_create1(0)) == -1)
        die("epoll_create1");
    watch_listener(ep, EPOLL_CTL_ADD, listener, EPOLLIN);
    while (1) {
        struct epoll_event ev;
        int n = epoll_wait(ep, &ev, 1, paused ? 100 : -1);
        struct client *c = n == 1 ? ev.data.ptr : NULL;

        if (n == -1) {
            if (errno != EINTR)
                die("epoll_wait");
            continue;
        }
        if (paused) {
            watch_listener(ep, EPOLL_CTL_MOD, listener, EPOLLIN);
            paused = 0;
        }
        if (c != NULL) {
            if (serve(c) != 0 || arm(ep, c, EPOLL_CTL_MOD) == -1)
                end(c);
        } else if (n == 1) {
            if ((fd = accept(listener, NULL, NULL)) >= 0) {
                start(ep, fd);
            } else if (!again(errno) && errno != ECONNABORTED &&
                       errno != EPROTO) {
                watch_listener(ep, EPOLL_CTL_MOD, listener, 0);
                paused = 1;
            }
        }
    }
}
