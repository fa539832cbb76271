/* Right: poll over an array that grows; a connection that ends is replaced
 * by the last one.
 * Quick: no */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct conn {
    int eof;
    size_t off, len;
    char buf[16384];
};

static struct pollfd first;
static struct pollfd *pfd = &first; /* [0] is the listener's */
static struct conn **conn;          /* conn[i] belongs to pfd[i] */
static size_t count = 1, room = 1;

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

static int grow(void)
{
    size_t want = room * 2;
    struct pollfd *p = realloc(pfd == &first ? NULL : pfd, want * sizeof(*p));
    struct conn **c;

    if (p == NULL)
        return -1;
    if (pfd == &first)
        *p = first;
    pfd = p;
    if ((c = realloc(conn, want * sizeof(*c))) == NULL)
        return -1; /* the larger pfd does no harm */
    conn = c;
    room = want;
    return 0;
}

static void add(int fd)
{
    struct conn *c;

    if ((count == room && grow() < 0) || (c = malloc(sizeof(*c))) == NULL) {
        close(fd);
        return;
    }
    c->eof = 0;
    c->off = c->len = 0;
    pfd[count] = (struct pollfd){.fd = fd, .events = POLLIN};
    conn[count++] = c;
}

static void drop(size_t i)
{
    close(pfd[i].fd);
    free(conn[i]);
    count--;
    pfd[i] = pfd[count];
    conn[i] = conn[count];
}

/* Returns 1 when a resource is short. */
static int take_all(int listener)
{
    int fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0 ||
           errno == ECONNABORTED || errno == EPROTO)
        if (fd >= 0)
            add(fd);
    return !passing(errno);
}

static int serve(struct pollfd *p, struct conn *c)
{
    ssize_t n;

    if (!c->eof && c->len < sizeof(c->buf)) {
        n = read(p->fd, c->buf + c->len, sizeof(c->buf) - c->len);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -1;
        c->eof = n == 0;
        c->len += n > 0 ? n : 0;
    }
    if (c->off < c->len) {
        n = write(p->fd, c->buf + c->off, c->len - c->off);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -1;
        c->off += n > 0 ? n : 0;
    }
    if (c->off == c->len)
        c->off = c->len = 0;
    p->events = 0;
    if (!c->eof && c->len < sizeof(c->buf))
        p->events |= POLLIN;
    if (c->len > 0)
        p->events |= POLLOUT;
    return p->events == 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
    int paused = 0, listener;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    listener = listen_on(argv[1]);
    for (;;) {
        int arriving;

        pfd[0] =
            (struct pollfd){.fd = paused ? -1 : listener, .events = POLLIN};
        if (poll(pfd, count, paused ? 100 : -1) < 0) {
            if (errno == EINTR)
                continue;
            perror("poll");
            return 1;
        }
        arriving = pfd[0].revents != 0;
        /* downwards: what drop() moves to i has had its turn */
        for (size_t i = count - 1; i > 0; i--)
            if (pfd[i].revents != 0 && serve(&pfd[i], conn[i]) < 0)
                drop(i);
        paused = arriving && take_all(listener);
    }
}
