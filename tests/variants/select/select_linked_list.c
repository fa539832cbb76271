/* Right: select over a linked list of connections, its sets built anew for
 * each call. A function of its own is called poll, for all to see.
 * Quick: no */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

struct conn {
    struct conn *next;
    int fd;
    int eof;
    size_t off, len; /* buf[off..len) is still to be sent */
    char buf[8192];
};

static struct conn *conns;

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

/* accept(2), ERRORS: the ones that pass by themselves */
static int passing(int err)
{
    return err == EAGAIN || err == EINTR || err == ECONNABORTED ||
           err == EPROTO;
}

/* Returns 1 when a resource is short and the listener should rest. */
static int take(int listener)
{
    int fd = accept(listener, NULL, NULL);
    struct conn *c;

    if (fd < 0)
        return !passing(errno);
    c = fd < FD_SETSIZE ? malloc(sizeof(*c)) : NULL;
    if (c == NULL || fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
        free(c);
        close(fd);
        return 0;
    }
    c->fd = fd;
    c->eof = 0;
    c->off = c->len = 0;
    c->next = conns;
    conns = c;
    return 0;
}

/* Returns -1 when the connection is over. */
static int serve(struct conn *c, int readable)
{
    ssize_t n;

    if (readable) {
        n = read(c->fd, c->buf + c->len, sizeof(c->buf) - c->len);
        if (n > 0)
            c->len += n;
        else if (n == 0)
            c->eof = 1;
        else if (errno != EAGAIN && errno != EINTR)
            return -1;
    }
    if (c->off < c->len) {
        n = write(c->fd, c->buf + c->off, c->len - c->off);
        if (n > 0)
            c->off += n;
        else if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -1;
    }
    if (c->off == c->len)
        c->off = c->len = 0;
    return c->eof && c->len == 0 ? -1 : 0;
}

/* Serves one connection. Returns where the next one hangs. */
struct conn **poll(struct conn **link, const fd_set *rd, const fd_set *wr)
{
    struct conn *c = *link;
    int readable = FD_ISSET(c->fd, rd);

    if ((readable || FD_ISSET(c->fd, wr)) && serve(c, readable) < 0) {
        *link = c->next;
        close(c->fd);
        free(c);
        return link;
    }
    return &c->next;
}

int main(int argc, char **argv)
{
    int listener, paused = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    listener = listen_on(argv[1]);
    for (;;) {
        struct timeval rest = {.tv_usec = 100000};
        struct conn *c, **link;
        fd_set rd, wr;
        int max = listener, arriving;

        FD_ZERO(&rd);
        FD_ZERO(&wr);
        if (!paused)
            FD_SET(listener, &rd);
        for (c = conns; c != NULL; c = c->next) {
            if (!c->eof && c->len < sizeof(c->buf))
                FD_SET(c->fd, &rd);
            if (c->off < c->len)
                FD_SET(c->fd, &wr);
            if (c->fd > max)
                max = c->fd;
        }
        if (select(max + 1, &rd, &wr, NULL, paused ? &rest : NULL) < 0) {
            if (errno == EINTR)
                continue;
            perror("select");
            return 1;
        }
        arriving = FD_ISSET(listener, &rd);
        paused = 0;
        for (link = &conns; *link != NULL;)
            link = poll(link, &rd, &wr);
        if (arriving)
            paused = take(listener);
    }
}
