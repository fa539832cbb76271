/* Wrong: the textbook wrapper ends the server when malloc fails for one
 * client.
 * Fails: memory
 * Line: 56
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

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

static void *Malloc(size_t size)
{
    void *p = malloc(size);

    if (p == NULL)
        die("malloc"); /* BUG */
    return p;
}

struct client {
    int fd, eof;
    unsigned head, count;
    char ring[4096];
};

static int serve(struct client *c)
{
    const unsigned size = sizeof(c->ring);
    unsigned tail = (c->head + c->count) % size;
    ssize_t n;

    if (!c->eof && c->count < size) {
        n = recv(c->fd, c->ring + tail,
                 tail < c->head ? c->head - tail : size - tail, 0);
        if (n == -1 && errno != EAGAIN && errno != EINTR)
            return -1;
        c->eof = n == 0;
        c->count += n > 0 ? n : 0;
    }
    if (c->count > 0) {
        unsigned run = size - c->head < c->count ? size - c->head : c->count;

        n = send(c->fd, c->ring + c->head, run, MSG_NOSIGNAL);
        if (n == -1 && errno != EAGAIN && errno != EINTR)
            return -1;
        if (n > 0) {
            c->head = (c->head + n) % size;
            c->count -= n;
        }
    }
    return c->eof && c->count == 0 ? -1 : 0;
}

static int interest(int ep, int op, struct client *c)
{
    struct epoll_event ev = {.data.ptr = c};

    if (c->count > 0)
        ev.events |= EPOLLOUT;
    if (!c->eof && c->count < sizeof(c->ring))
        ev.events |= EPOLLIN;
    return epoll_ctl(ep, op, c->fd, &ev);
}

static void drop(struct client *c)
{
    close(c->fd);
    free(c);
}

static void add(int ep, int fd)
{
    struct client *c = Malloc(sizeof(*c));

    c->fd = fd;
    c->eof = 0;
    c->head = c->count = 0;
    if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1 ||
        interest(ep, EPOLL_CTL_ADD, c) == -1)
        drop(c);
}

int main(int argc, char *argv[])
{
    struct epoll_event on = {.events = EPOLLIN}, off = {.events = 0}, ev;
    int ep, fd, listener, n, quiet = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    listener = make_listener(argv[1]);
    if ((ep = epoll_create1(0)) == -1 ||
        epoll_ctl(ep, EPOLL_CTL_ADD, listener, &on) == -1)
        die("epoll");
    for (;;) {
        if ((n = epoll_wait(ep, &ev, 1, quiet ? 100 : -1)) == -1) {
            if (errno != EINTR)
                die("epoll_wait");
            continue;
        }
        if (quiet)
            epoll_ctl(ep, EPOLL_CTL_MOD, listener, &on);
        quiet = 0;
        if (n == 1 && ev.data.ptr != NULL) {
            struct client *c = ev.data.ptr;

            if (serve(c) == -1 || interest(ep, EPOLL_CTL_MOD, c) == -1)
                drop(c);
        } else if (n == 1) {
            if ((fd = accept(listener, NULL, NULL)) != -1)
                add(ep, fd);
            else
                quiet = errno != EAGAIN && errno != EINTR &&
                        errno != ECONNABORTED && errno != EPROTO;
            if (quiet)
                epoll_ctl(ep, EPOLL_CTL_MOD, listener, &off);
        }
    }
}
