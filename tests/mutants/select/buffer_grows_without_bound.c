/* Wrong: the server reads from a client that does not read, and keeps it all:
 * its buffer grows as long as the client sends.
 * Fails: leak
 * Line: 70
 */
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

struct conn {
    int fd, eof;
    size_t off, len, size;
    char *data;
};

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

static int interest(int ep, int op, struct conn *c)
{
    struct epoll_event ev = {.events = c->eof ? 0 : EPOLLIN, .data.ptr = c};

    if (c->off < c->len)
        ev.events |= EPOLLOUT;
    return epoll_ctl(ep, op, c->fd, &ev);
}

static void end(struct conn *c)
{
    close(c->fd);
    free(c->data);
    free(c);
}

static int make_room(struct conn *c)
{
    size_t size = c->size ? c->size * 2 : 4096;
    char *data;

    if (c->len < c->size)
        return 0;
    if ((data = realloc(c->data, size)) == NULL) /* BUG */
        return -1;
    c->data = data;
    c->size = size;
    return 0;
}

/* Returns -1 at the end of the connection. */
static int serve(struct conn *c)
{
    ssize_t n;

    if (!c->eof) {
        if (make_room(c) < 0)
            return -1;
        n = read(c->fd, c->data + c->len, c->size - c->len);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -1;
        c->eof = n == 0;
        c->len += n > 0 ? n : 0;
    }
    if (c->off < c->len) {
        n = write(c->fd, c->data + c->off, c->len - c->off);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -1;
        c->off += n > 0 ? n : 0;
    }
    if (c->off == c->len)
        c->off = c->len = 0;
    return c->eof && c->len == 0 ? -1 : 0;
}

static void add(int ep, int fd)
{
    struct conn *c = calloc(1, sizeof(*c));

    if (c == NULL) {
        close(fd);
        return;
    }
    c->fd = fd;
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || interest(ep, EPOLL_CTL_ADD, c))
        end(c);
}

int main(int argc, char **argv)
{
    struct epoll_event on = {.events = EPOLLIN}, off = {.events = 0}, got[8];
    int i, n, fd, ep, listener, paused = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    listener = listen_on(argv[1]);
    if ((ep = epoll_create1(0)) < 0 ||
        epoll_ctl(ep, EPOLL_CTL_ADD, listener, &on) < 0) {
        perror("epoll");
        return 1;
    }
    for (;;) {
        n = epoll_wait(ep, got, 8, paused ? 100 : -1);
        if (n < 0 && errno != EINTR) {
            perror("epoll_wait");
            return 1;
        }
        if (paused && n >= 0)
            paused = epoll_ctl(ep, EPOLL_CTL_MOD, listener, &on) < 0;
        for (i = 0; i < n; i++) {
            struct conn *c = got[i].data.ptr;

            if (c != NULL) {
                if (serve(c) < 0 || interest(ep, EPOLL_CTL_MOD, c) < 0)
                    end(c);
            } else if ((fd = accept(listener, NULL, NULL)) >= 0) {
                add(ep, fd);
            } else if (errno != EAGAIN && errno != EINTR &&
                       errno != ECONNABORTED && errno != EPROTO) {
                epoll_ctl(ep, EPOLL_CTL_MOD, listener, &off);
                paused = 1;
            }
        }
    }
}
