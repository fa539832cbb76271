/* Right: connections in a TAILQ, the table of poll() on the stack, made anew
 * each time. Without descriptors a spare one is given up to take the client
 * and turn it away. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

struct conn {
    int fd;
    bool eof;
    size_t len;
    char buf[6000];
    TAILQ_ENTRY(conn) link;
};

static TAILQ_HEAD(, conn) all = TAILQ_HEAD_INITIALIZER(all);
static nfds_t conns;
static int spare;

static void drop(struct conn *c)
{
    TAILQ_REMOVE(&all, c, link);
    conns--;
    close(c->fd);
    free(c);
}

static bool not_now(int error)
{
    return error == EAGAIN || error == EINTR;
}

/* Returns false when it is over. */
static bool read_some(struct conn *c)
{
    if (c->eof || c->len == sizeof c->buf)
        return true;
    ssize_t n = recv(c->fd, c->buf + c->len, sizeof c->buf - c->len, 0);
    if (n < 0)
        return not_now(errno);
    c->eof = n == 0;
    c->len += (size_t)n;
    return true;
}

static bool write_some(struct conn *c)
{
    if (c->len == 0)
        return !c->eof;
    ssize_t n = send(c->fd, c->buf, c->len, MSG_NOSIGNAL);
    if (n < 0)
        return not_now(errno);
    c->len -= (size_t)n;
    memmove(c->buf, c->buf + n, c->len);
    return c->len > 0 || !c->eof;
}

static short wanted(const struct conn *c)
{
    return (short)((c->len > 0 ? POLLOUT : 0) |
                   (!c->eof && c->len < sizeof c->buf ? POLLIN : 0));
}

static void take_in(int fd)
{
    struct conn *c = malloc(sizeof *c);
    int on = 1;

    if (c == NULL) {
        close(fd);
        return;
    }
    ioctl(fd, FIONBIO, &on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->fd = fd;
    c->eof = false;
    c->len = 0;
    TAILQ_INSERT_TAIL(&all, c, link);
    conns++;
}

/* Returns true where nobody can be taken, nor turned away. */
static bool turn_away(int listener)
{
    if (spare < 0)
        return true;
    close(spare);
    int fd = accept(listener, NULL, NULL);
    if (fd >= 0)
        close(fd);
    spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return fd < 0;
}

/* Returns true where a pause is due. */
static bool accept_one(int listener)
{
    int fd = accept(listener, NULL, NULL);

    if (fd >= 0) {
        take_in(fd);
        return false;
    }
    if (errno == EMFILE)
        return turn_away(listener);
    return !not_now(errno) && errno != ECONNABORTED && errno != EPROTO;
}

static int listen_on(const char *text)
{
    struct sockaddr_in addr = {.sin_family = AF_INET};
    char *end;
    long port = strtol(text, &end, 10);
    int fd, on = 1;

    errno = EINVAL;
    if (end == text || *end != '\0' || port < 1 || port > 65535)
        return -1;
    addr.sin_port = htons((in_port_t)port);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, (struct sockaddr *)&addr, sizeof addr) < 0 ||
        listen(fd, SOMAXCONN) < 0 || ioctl(fd, FIONBIO, &on) < 0)
        return -1;
    return fd;
}

int main(int argc, char **argv)
{
    bool pause = false;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    int listener = listen_on(argv[1]);
    if (listener < 0) {
        fprintf(stderr, "port %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (;;) {
        struct pollfd p[conns + 1], *at = p;
        struct conn *c, *next;

        *at++ = (struct pollfd){pause ? -1 : listener, POLLIN, 0};
        TAILQ_FOREACH(c, &all, link)
        *at++ = (struct pollfd){c->fd, wanted(c), 0};
        int n = poll(p, conns + 1, pause ? 100 : -1);
        pause = false;
        if (n < 0) {
            if (errno != EINTR)
                usleep(100000);
            continue;
        }
        at = p + 1;
        for (c = TAILQ_FIRST(&all); c != NULL; c = next, at++) {
            next = TAILQ_NEXT(c, link);
            if (at->revents && !(read_some(c) && write_some(c)))
                drop(c);
        }
        if (p[0].revents)
            pause = accept_one(listener);
    }
}
