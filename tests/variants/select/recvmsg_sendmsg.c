/* Right: recvmsg and sendmsg, poll, and a ring of doubly linked clients.
 * Quick: no */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MOST = 65536 };

struct client {
    struct client *prev, *next;
    int fd;
    int slot; /* its place in the poll array, 0 when new */
    struct iovec pending;
    char room[6000];
};

static struct client ring = {.prev = &ring, .next = &ring};
static struct pollfd pfd[MOST];
static int clients;

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

static void leave(struct client *c)
{
    c->prev->next = c->next;
    c->next->prev = c->prev;
    close(c->fd);
    free(c);
    clients--;
}

static void enter(int fd)
{
    struct client *c = clients < MOST - 1 ? malloc(sizeof(*c)) : NULL;

    if (c == NULL || fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
        free(c);
        close(fd);
        return;
    }
    c->fd = fd;
    c->slot = 0;
    c->pending = (struct iovec){c->room, 0};
    c->prev = &ring;
    c->next = ring.next;
    c->next->prev = c;
    ring.next = c;
    clients++;
}

/* Reads only while nothing is pending. Returns -1 when it is over. */
static int serve(struct client *c)
{
    struct iovec whole = {c->room, sizeof(c->room)};
    struct msghdr in = {.msg_iov = &whole, .msg_iovlen = 1};
    struct msghdr out = {.msg_iov = &c->pending, .msg_iovlen = 1};
    ssize_t n;

    if (c->pending.iov_len == 0) {
        n = recvmsg(c->fd, &in, 0);
        if (n == 0)
            return -1;
        if (n < 0)
            return errno == EAGAIN || errno == EINTR ? 0 : -1;
        c->pending = (struct iovec){c->room, n};
    }
    n = sendmsg(c->fd, &out, MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    c->pending.iov_base = (char *)c->pending.iov_base + n;
    c->pending.iov_len -= n;
    return 0;
}

static int shortage(int err)
{
    return err != EAGAIN && err != EINTR && err != ECONNABORTED &&
           err != EPROTO;
}

int main(int argc, char **argv)
{
    int listener, paused = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    listener = listen_on(argv[1]);
    for (;;) {
        struct client *c, *next;
        int n = 1, fd;

        pfd[0].fd = paused ? -1 : listener;
        pfd[0].events = POLLIN;
        for (c = ring.next; c != &ring; c = c->next) {
            c->slot = n++;
            pfd[c->slot].fd = c->fd;
            pfd[c->slot].events = c->pending.iov_len ? POLLOUT : POLLIN;
        }
        if (poll(pfd, n, paused ? 100 : -1) < 0) {
            if (errno == EINTR)
                continue;
            perror("poll");
            return 1;
        }
        paused = 0;
        for (c = ring.next; c != &ring; c = next) {
            next = c->next;
            if (pfd[c->slot].revents != 0 && serve(c) < 0)
                leave(c);
        }
        if (pfd[0].revents == 0)
            continue;
        if ((fd = accept(listener, NULL, NULL)) >= 0)
            enter(fd);
        else
            paused = shortage(errno);
    }
}
