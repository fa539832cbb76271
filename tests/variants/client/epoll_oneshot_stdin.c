/* Right: epoll; stdin is armed once for each piece. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void die(const char *what)
{
    fprintf(stderr, "client: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* getaddrinfo() takes 70000 for 4464. */
static int port_is_bad(const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);

    return *end == '\0' && (port < 1 || port > 65535);
}

/* Tries every address in the resolver's order; ends the run if none connects.
 */
static int connect_to(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list, *ai;
    int fd = -1, why = 0;
    int rc = getaddrinfo(host, port, &hints, &list);

    if (rc != 0) {
        fprintf(stderr, "client: %s: %s\n", host, gai_strerror(rc));
        exit(1);
    }
    for (ai = list; ai != NULL; ai = ai->ai_next) {
        fd = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
        if (fd >= 0 && connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
            break;
        why = errno;
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(list);
    if (fd < 0) {
        fprintf(stderr, "client: connect %s: %s\n", host, strerror(why));
        exit(1);
    }
    return fd;
}

static void show(const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDOUT_FILENO, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            die("stdout");
        p += n;
        len -= (size_t)n;
    }
}

static char piece[4096];
static size_t len, off;
static unsigned long long sent, got;
static int ended;

static void take_stdin(void)
{
    ssize_t n = read(STDIN_FILENO, piece, sizeof piece);

    if (n < 0 && errno != EINTR)
        die("stdin");
    ended = n == 0;
    len = n > 0 ? (size_t)n : 0;
    off = 0;
}

static void send_some(int sock)
{
    ssize_t n = send(sock, piece + off, len - off, MSG_NOSIGNAL);

    if (n < 0 && errno != EAGAIN && errno != EINTR)
        die("send");
    if (n > 0) {
        off += (size_t)n;
        sent += (unsigned long long)n;
    }
}

static void receive_some(int sock)
{
    char buf[4096];
    ssize_t n = recv(sock, buf, sizeof buf, 0);

    if (n == 0) {
        fprintf(stderr, "client: the server closed the connection\n");
        exit(1);
    }
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        die("recv");
    if (n > 0) {
        show(buf, (size_t)n);
        got += (unsigned long long)n;
    }
}

static void arm(int ep, int op, int fd, unsigned events)
{
    struct epoll_event ev = {.events = events, .data.fd = fd};

    if (epoll_ctl(ep, op, fd, &ev) < 0)
        die("epoll_ctl");
}

int main(int argc, char **argv)
{
    struct epoll_event in = {.events = EPOLLIN | EPOLLONESHOT,
                             .data.fd = STDIN_FILENO};
    int sock, ep, plain_file = 0, half_closed = 0;

    if (argc != 3) {
        fprintf(stderr, "usage: %s HOST PORT\n", argv[0]);
        return 2;
    }
    if (port_is_bad(argv[2])) {
        fprintf(stderr, "client: port %s: not in 1..65535\n", argv[2]);
        return 1;
    }
    sock = connect_to(argv[1], argv[2]);
    if (fcntl(sock, F_SETFL, O_NONBLOCK) < 0)
        die("fcntl");
    ep = epoll_create1(0);
    if (ep < 0)
        die("epoll_create1");
    arm(ep, EPOLL_CTL_ADD, sock, EPOLLIN);
    if (epoll_ctl(ep, EPOLL_CTL_ADD, STDIN_FILENO, &in) < 0) {
        if (errno != EPERM)
            die("epoll_ctl");
        plain_file = 1; /* epoll takes none: it is always ready */
    }
    while (!ended || got < sent) {
        struct epoll_event ready[2];
        int idle = !ended && off == len;
        int n = epoll_wait(ep, ready, 2, plain_file && idle ? 0 : -1);

        if (n < 0 && errno != EINTR)
            die("epoll_wait");
        for (int i = 0; i < n; i++)
            if (ready[i].data.fd == STDIN_FILENO)
                take_stdin();
        if (plain_file && idle)
            take_stdin();
        if (ended && !half_closed) {
            shutdown(sock, SHUT_WR); /* failing, the count decides */
            half_closed = 1;
            continue;
        }
        for (int i = 0; i < n; i++)
            if (ready[i].data.fd == sock &&
                ready[i].events & ~(unsigned)EPOLLOUT)
                receive_some(sock);
        if (off < len)
            send_some(sock);
        arm(ep, EPOLL_CTL_MOD, sock, off < len ? EPOLLIN | EPOLLOUT : EPOLLIN);
        if (!plain_file && !ended && off == len)
            arm(ep, EPOLL_CTL_MOD, STDIN_FILENO, EPOLLIN | EPOLLONESHOT);
    }
    close(sock);
    return 0;
}
