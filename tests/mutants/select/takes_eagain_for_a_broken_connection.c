/* Wrong: a read that answers EAGAIN although the socket was reported ready is
 * taken for a broken connection, and the client is lost.
 * Fails: partial
 * Line: 64
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct conn {
    int fd;
    unsigned sent, got;
    char buf[1 << 14];
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

static struct epoll_event events_of(struct conn *c)
{
    struct epoll_event ev = {.data.ptr = c};

    ev.events = c->got > 0 ? EPOLLOUT : EPOLLIN;
    return ev;
}

/* Returns 1 when the connection is done with. */
static int serve(int ep, struct conn *c)
{
    struct epoll_event ev;
    ssize_t n;

    if (c->got == 0) {
        n = recv(c->fd, c->buf, sizeof(c->buf), 0); /* BUG */
        if (n <= 0)
            return 1;
        c->got = n;
    }
    if (c->got > c->sent) {
        n = send(c->fd, c->buf + c->sent, c->got - c->sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return 1;
        c->sent += n > 0 ? n : 0;
    }
    if (c->sent == c->got)
        c->sent = c->got = 0;
    ev = events_of(c);
    return epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &ev) < 0;
}

static void end(struct conn *c)
{
    close(c->fd);
    free(c);
}

static void begin(int ep, int fd)
{
    struct conn *c = calloc(1, sizeof(*c));
    struct epoll_event ev;

    if (c == NULL) {
        close(fd);
        return;
    }
    c->fd = fd;
    ev = events_of(c);
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ||
        epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) < 0)
        end(c);
}

int main(int argc, char **argv)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};
    int ep, listener, fd, timeout = -1;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    listener = open_listener(argv[1]);
    if ((ep = epoll_create1(0)) < 0 ||
        epoll_ctl(ep, EPOLL_CTL_ADD, listener, &ev) < 0) {
        perror("epoll");
        return 1;
    }
    for (;;) {
        struct epoll_event got;
        int n = epoll_wait(ep, &got, 1, timeout);

        if (n < 0 && errno != EINTR) {
            perror("epoll_wait");
            return 1;
        }
        if (n >= 0 && timeout > 0) {
            timeout = -1;
            ev.events = EPOLLIN;
            epoll_ctl(ep, EPOLL_CTL_MOD, listener, &ev);
        }
        if (n < 1)
            continue;
        if (got.data.ptr != NULL) {
            if (serve(ep, got.data.ptr))
                end(got.data.ptr);
        } else if ((fd = accept(listener, NULL, NULL)) >= 0) {
            begin(ep, fd);
        } else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED &&
                   errno != EPROTO) {
            timeout = 100;
            ev.events = 0;
            epoll_ctl(ep, EPOLL_CTL_MOD, listener, &ev);
        }
    }
}
