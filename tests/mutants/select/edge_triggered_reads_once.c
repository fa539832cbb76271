/* Wrong: the connections are edge-triggered but read only once for each edge,
 * so what did not fit in the buffer waits for an edge that never comes.
 * Fails: echo
 * Also: concurrency
 * Line: 63
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

struct peer {
    int fd, eof;
    unsigned off, len;
    char buf[1024];
};

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

static int serve(struct peer *p)
{
    ssize_t n;

    if (!p->eof && p->len < sizeof(p->buf)) {
        n = recv(p->fd, p->buf + p->len, sizeof(p->buf) - p->len, 0); /* BUG */
        if (n == -1 && errno != EAGAIN && errno != EINTR)
            return -1;
        if (n == 0)
            p->eof = 1;
        else if (n > 0)
            p->len += n;
    }
    while (p->off < p->len) {
        n = send(p->fd, p->buf + p->off, p->len - p->off, MSG_NOSIGNAL);
        if (n == -1 && errno == EAGAIN)
            return 0;
        if (n == -1 && errno != EINTR)
            return -1;
        if (n > 0)
            p->off += n;
    }
    p->off = p->len = 0;
    return p->eof ? -1 : 0;
}

static void goodbye(struct peer *p)
{
    close(p->fd);
    free(p);
}

static void welcome(int ep, int fd)
{
    struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLET};
    struct peer *p = calloc(1, sizeof(*p));

    if (p == NULL) {
        close(fd);
        return;
    }
    p->fd = fd;
    ev.data.ptr = p;
    if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1 ||
        epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == -1)
        goodbye(p);
}

/* Returns 1 when the listener needs a pause. */
static int accept_one(int ep, int listener)
{
    int fd = accept(listener, NULL, NULL);

    if (fd >= 0)
        welcome(ep, fd);
    return fd == -1 && errno != EAGAIN && errno != EINTR &&
           errno != ECONNABORTED && errno != EPROTO;
}

static void listener_events(int ep, int op, int listener, int events)
{
    struct epoll_event ev = {.events = events, .data.ptr = NULL};

    if (epoll_ctl(ep, op, listener, &ev) == -1)
        die("epoll_ctl");
}

int main(int argc, char *argv[])
{
    struct epoll_event ev;
    int ep, listener, pause = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    listener = make_listener(argv[1]);
    if ((ep = epoll_create1(0)) == -1)
        die("epoll_create1");
    listener_events(ep, EPOLL_CTL_ADD, listener, EPOLLIN);
    while (1) {
        int n = epoll_wait(ep, &ev, 1, pause ? 100 : -1);

        if (n == -1) {
            if (errno != EINTR)
                die("epoll_wait");
            continue;
        }
        if (pause)
            listener_events(ep, EPOLL_CTL_MOD, listener, EPOLLIN);
        pause = 0;
        if (n == 1 && ev.data.ptr != NULL) {
            if (serve(ev.data.ptr) == -1)
                goodbye(ev.data.ptr);
        } else if (n == 1 && accept_one(ep, listener)) {
            listener_events(ep, EPOLL_CTL_MOD, listener, 0);
            pause = 1;
        }
    }
}
