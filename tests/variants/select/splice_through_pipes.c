/* Right: a pipe for each connection, filled and emptied by splice; the
 * connections' epoll is polled beside the listener. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *failed_call;

static void net_report(const char *program)
{
    fprintf(stderr, "%s: %s: %s\n", program, failed_call, strerror(errno));
}

/* All IPv4 addresses. */
static int tcp_listen(const char *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    int on = 1, fd;
    char *end;
    long number = strtol(port, &end, 10);

    errno = EINVAL;
    failed_call = port;
    if (end == port || *end || number < 0 || number > 65535)
        return -1;
    at.sin_port = htons((in_port_t)number);
    failed_call = "listen";
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
        listen(fd, SOMAXCONN) < 0) {
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

struct hose {
    int fd, in, out;
    size_t held;
    unsigned armed;
};

static int ep;

static void drop(struct hose *h)
{
    close(h->fd);
    close(h->in);
    close(h->out);
    free(h);
}

static void flow(struct hose *h)
{
    ssize_t n;

    if (h->held == 0) {
        n = splice(h->fd, NULL, h->in, NULL, 16384, SPLICE_F_NONBLOCK);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            drop(h);
            return;
        }
        if (n > 0)
            h->held = (size_t)n;
    }
    if (h->held > 0) {
        n = splice(h->out, NULL, h->fd, NULL, h->held, SPLICE_F_NONBLOCK);
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            drop(h);
            return;
        }
        if (n > 0)
            h->held -= (size_t)n;
    }
    unsigned want = h->held > 0 ? EPOLLOUT : EPOLLIN;
    if (want == h->armed)
        return;
    struct epoll_event e = {.events = want, .data.ptr = h};
    if (epoll_ctl(ep, EPOLL_CTL_MOD, h->fd, &e) < 0)
        drop(h);
    else
        h->armed = want;
}

static void begin(int fd)
{
    struct hose *h = malloc(sizeof *h);
    int ends[2];

    if (!h) {
        close(fd);
        return;
    }
    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0) {
        perror("pipe2");
        close(fd);
        free(h);
        return;
    }
    *h = (struct hose){fd, ends[1], ends[0], 0, EPOLLIN};
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = h};
    if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) < 0)
        drop(h);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    struct rlimit most;
    getrlimit(RLIMIT_NOFILE, &most);
    most.rlim_cur = most.rlim_max;
    setrlimit(RLIMIT_NOFILE, &most); /* three descriptors for each */
    signal(SIGPIPE, SIG_IGN);
    int l = tcp_listen(argv[1]);
    if (l < 0) {
        net_report(argv[0]);
        return 1;
    }
    fcntl(l, F_SETFL, O_NONBLOCK);
    ep = epoll_create1(EPOLL_CLOEXEC);
    if (ep < 0) {
        perror("select");
        return 1;
    }
    int resting = 0;
    for (;;) {
        struct pollfd p[2] = {{ep, POLLIN, 0}, {resting ? -1 : l, POLLIN, 0}};
        int ready = poll(p, 2, resting ? 100 : -1);
        resting = 0;
        if (ready <= 0)
            continue;
        if (p[0].revents) {
            struct epoll_event e[8];
            int n = epoll_wait(ep, e, 8, 0);
            for (int i = 0; i < n; i++)
                flow(e[i].data.ptr);
        }
        if (p[1].revents) {
            int fd = accept4(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd >= 0)
                begin(fd);
            else if (errno != EAGAIN && errno != EINTR &&
                     errno != ECONNABORTED && errno != EPROTO)
                resting = 1;
        }
    }
}
