/* Wrong: a connection that breaks is taken off the list, but its descriptor
 * stays open.
 * Fails: descriptors
 * Line: 143
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX = 65536 };

struct conn {
    struct conn *next;
    int fd, eof;
    char *from, *to;
    char buf[1500];
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

static int again(int err)
{
    return err == EAGAIN || err == EINTR;
}

enum result { GOES_ON, ENDED, BROKEN };

static enum result serve(struct conn *c, short revents)
{
    char *limit = c->buf + sizeof(c->buf);
    ssize_t n;

    if ((revents & (POLLIN | POLLHUP | POLLERR)) && !c->eof && c->to < limit) {
        n = read(c->fd, c->to, limit - c->to);
        if (n < 0 && !again(errno))
            return BROKEN;
        if (n == 0)
            c->eof = 1;
        if (n > 0)
            c->to += n;
    }
    if (c->from < c->to) {
        n = write(c->fd, c->from, c->to - c->from);
        if (n < 0 && !again(errno))
            return BROKEN;
        if (n > 0)
            c->from += n;
    }
    if (c->from == c->to)
        c->from = c->to = c->buf;
    return c->eof && c->from == c->to ? ENDED : GOES_ON;
}

static struct conn *new_conn(int fd, struct conn *next)
{
    struct conn *c = malloc(sizeof(*c));

    if (c == NULL || fd >= MAX || fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
        free(c);
        close(fd);
        return next;
    }
    c->next = next;
    c->fd = fd;
    c->eof = 0;
    c->from = c->to = c->buf;
    return c;
}

int main(int argc, char **argv)
{
    static struct pollfd pfd[MAX];
    struct conn *list = NULL, *c, **link;
    int listener, fd, paused = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    listener = listen_on(argv[1]);
    for (;;) {
        int n = 1;

        pfd[0] = (struct pollfd){paused ? -1 : listener, POLLIN, 0};
        for (c = list; c != NULL; c = c->next, n++) {
            pfd[n] = (struct pollfd){.fd = c->fd};
            if (!c->eof && c->to < c->buf + sizeof(c->buf))
                pfd[n].events |= POLLIN;
            if (c->from < c->to)
                pfd[n].events |= POLLOUT;
        }
        if (poll(pfd, n, paused ? 100 : -1) < 0) {
            if (errno == EINTR)
                continue;
            perror("poll");
            return 1;
        }
        for (link = &list, n = 1; (c = *link) != NULL; n++) {
            enum result r = pfd[n].revents ? serve(c, pfd[n].revents) : GOES_ON;

            if (r == GOES_ON) {
                link = &c->next;
                continue;
            }
            *link = c->next;
            if (r == ENDED)
                close(c->fd);
            free(c);
        }
        paused = 0;
        if (pfd[0].revents == 0)
            continue;
        if ((fd = accept(listener, NULL, NULL)) >= 0) /* BUG */
            list = new_conn(fd, list);
        else
            paused = !again(errno) && errno != ECONNABORTED && errno != EPROTO;
    }
}
