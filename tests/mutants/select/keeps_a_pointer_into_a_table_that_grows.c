/* Wrong: a new client may make realloc move the table, and the loop goes on
 * in the old one.
 * Fails: memory
 * Line: 116
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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

static struct pollfd *pfd;
static struct conn *cs;
static int n, cap;
static int grow(void)
{
    int want = cap ? cap * 2 : 8;
    struct pollfd *p = realloc(pfd, want * sizeof *p);
    if (!p)
        return -1;
    pfd = p;
    struct conn *c = realloc(cs, want * sizeof *c);
    if (!c)
        return -1;
    cs = c;
    cap = want;
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        exit(2);
    }
    int lfd = listen_on(argv[1]), pause = 0;
    if (grow() < 0)
        die("malloc");
    pfd[0].fd = lfd;
    pfd[0].events = POLLIN;
    n = 1;
    for (;;) {
        int at = pause ? 1 : 0;
        int r = poll(pfd + at, n - at, pause ? 100 : -1);
        if (r < 0) {
            if (errno == EINTR)
                continue;
            poll(NULL, 0, 100);
            continue;
        }
        if (pause)
            pfd[0].revents = 0;
        pause = 0;
        int had = n;
        struct pollfd *p = pfd;
        for (int i = 0; i < had; i++, p++) {
            if (!p->revents) /* BUG */
                continue;
            if (i == 0) {
                int fd = accept4(lfd, NULL, NULL, SOCK_NONBLOCK);
                if (fd < 0) {
                    if (errno != EAGAIN && errno != EINTR &&
                        errno != ECONNABORTED && errno != EPROTO)
                        pause = 1;
                    continue;
                }
                char *b = malloc(CAP);
                if (!b) {
                    close(fd);
                    continue;
                }
                if (n == cap && grow() < 0) {
                    free(b);
                    close(fd);
                    continue;
                }
                pfd[n].fd = fd;
                pfd[n].events = POLLIN;
                pfd[n].revents = 0;
                cs[n] = (struct conn){fd, 0, 0, b};
                n++;
                continue;
            }
            if (io(&cs[i]) < 0) {
                close(p->fd);
                free(cs[i].buf);
                p->fd = -1;
                continue;
            }
            p->events = cs[i].len ? POLLOUT : POLLIN;
        }
        for (int i = 1; i < n; i++)
            if (pfd[i].fd < 0) {
                pfd[i] = pfd[n - 1];
                cs[i] = cs[n - 1];
                n--;
                i--;
            }
    }
}
