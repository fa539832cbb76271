/* Wrong: nothing is done about SIGPIPE, so a write to a client that vanished
 * kills the server.
 * Fails: sigpipe
 * Line: 71
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct conn {
    int fd, eof, off, len;
    char buf[7000];
};

enum { LIMIT = 65536 };
static struct conn *conns[LIMIT];
static struct pollfd pfds[LIMIT];
static int n_conns;

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

static int do_read(struct conn *c)
{
    ssize_t n = read(c->fd, c->buf + c->len, sizeof(c->buf) - c->len);

    if (n == -1)
        return again(errno) ? 0 : -1;
    c->eof = n == 0;
    c->len += n;
    return 0;
}

static int do_write(struct conn *c)
{
    ssize_t n = write(c->fd, c->buf + c->off, c->len - c->off); /* BUG */

    if (n == -1)
        return again(errno) ? 0 : -1;
    c->off += n;
    if (c->off == c->len)
        c->off = c->len = 0;
    return 0;
}

static int serve(struct conn *c)
{
    if (!c->eof && c->len < (int)sizeof(c->buf) && do_read(c) == -1)
        return -1;
    if (c->len > 0 && do_write(c) == -1)
        return -1;
    return c->eof && c->len == 0 ? -1 : 0;
}

static void add(int fd)
{
    struct conn *c = n_conns < LIMIT - 1 ? malloc(sizeof(*c)) : NULL;

    if (c == NULL || fcntl(fd, F_SETFL, O_NONBLOCK) == -1) {
        free(c);
        close(fd);
        return;
    }
    c->fd = fd;
    c->eof = c->off = c->len = 0;
    conns[n_conns++] = c;
}

int main(int argc, char **argv)
{
    int listener, fd, i, paused = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    listener = open_listener(argv[1]);
    for (;;) {
        int n = n_conns;

        for (i = 0; i < n; i++) {
            struct conn *c = conns[i];

            pfds[i].fd = c->fd;
            pfds[i].events = c->len > 0 ? POLLOUT : 0;
            if (!c->eof && c->len < (int)sizeof(c->buf))
                pfds[i].events |= POLLIN;
        }
        pfds[n].fd = paused ? -1 : listener;
        pfds[n].events = POLLIN;
        if (poll(pfds, n + 1, paused ? 100 : -1) == -1) {
            if (errno == EINTR)
                continue;
            perror("poll");
            return 1;
        }
        for (i = n - 1; i >= 0; i--) {
            if (pfds[i].revents == 0 || serve(conns[i]) == 0)
                continue;
            close(conns[i]->fd);
            free(conns[i]);
            conns[i] = conns[--n_conns];
        }
        paused = 0;
        if (pfds[n].revents == 0)
            continue;
        if ((fd = accept(listener, NULL, NULL)) >= 0)
            add(fd);
        else
            paused = !again(errno) && errno != ECONNABORTED && errno != EPROTO;
    }
}
