/* Wrong: what a send did not take is kept in one place for all connections:
 * of two that do not read the second overwrites the first one's.
 * Fails: concurrency
 * Line: 78
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
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

static char shared[CAP];

static int passing(ssize_t n)
{
    return n >= 0 || errno == EAGAIN || errno == EINTR;
}

/* 0: goes on, -1: over */
static int io(struct conn *c)
{
    char fresh[CAP], *from = c->len ? c->buf + c->off : fresh;
    if (c->len == 0) {
        ssize_t n = read(c->fd, fresh, CAP);
        if (n <= 0)
            return n < 0 && passing(n) ? 0 : -1;
        c->len = n;
        c->off = 0;
    }
    ssize_t n = send(c->fd, from, c->len, MSG_NOSIGNAL);
    if (!passing(n))
        return -1;
    n = n > 0 ? n : 0;
    c->len -= n;
    if (from != fresh)
        c->off += n;
    else if (c->len)
        memcpy(c->buf, fresh + n, c->len); /* BUG */
    return 0;
}

#define SLOTS FD_SETSIZE
static struct conn slot[SLOTS];
static int used;

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        exit(2);
    }
    int lfd = listen_on(argv[1]), pause = 0;
    for (;;) {
        fd_set r, w;
        int max = lfd;
        FD_ZERO(&r);
        FD_ZERO(&w);
        if (!pause)
            FD_SET(lfd, &r);
        for (int i = 0; i < used; i++) {
            if (!slot[i].buf)
                continue;
            if (slot[i].len)
                FD_SET(slot[i].fd, &w);
            else
                FD_SET(slot[i].fd, &r);
            if (slot[i].fd > max)
                max = slot[i].fd;
        }
        struct timeval rest = {0, 100000};
        if (select(max + 1, &r, &w, NULL, pause ? &rest : NULL) < 0)
            continue;
        pause = 0;
        for (int i = 0; i < used; i++) {
            struct conn *c = &slot[i];
            if (c->buf && (FD_ISSET(c->fd, &r) || FD_ISSET(c->fd, &w)) &&
                io(c) < 0) {
                close(c->fd);
                c->buf = NULL;
            }
        }
        while (used > 0 && !slot[used - 1].buf)
            used--;
        if (FD_ISSET(lfd, &r)) {
            int fd = accept4(lfd, NULL, NULL, SOCK_NONBLOCK);
            if (fd < 0) {
                if (errno != EAGAIN && errno != EINTR &&
                    errno != ECONNABORTED && errno != EPROTO)
                    pause = 1;
                continue;
            }
            int i = 0;
            while (i < used && slot[i].buf)
                i++;
            char *b = shared;
            if (fd >= FD_SETSIZE || i >= SLOTS || !b) {
                close(fd);
                continue;
            }
            slot[i] = (struct conn){fd, 0, 0, b};
            if (i == used)
                used++;
        }
    }
}
