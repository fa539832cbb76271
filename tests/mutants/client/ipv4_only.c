/* Wrong: asks the resolver for IPv4 alone, so that an IPv6 server is out of
 *        reach.
 * Fails: startup
 * Line: 41
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static int dial(const char *host, const char *port)
{
    struct addrinfo want, *all, *a;
    int rc, s, saved = 0;

    memset(&want, 0, sizeof want);
    want.ai_family = AF_INET;
    want.ai_socktype = SOCK_STREAM;
    rc = getaddrinfo(host, port, &want, &all); /* BUG */
    if (rc != 0) {
        fprintf(stderr, "cannot resolve %s: %s\n", host, gai_strerror(rc));
        return -1;
    }
    for (a = all; a != NULL; a = a->ai_next) {
        s = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (s < 0) {
            saved = errno;
            continue;
        }
        if (connect(s, a->ai_addr, a->ai_addrlen) == 0) {
            freeaddrinfo(all);
            return s;
        }
        saved = errno;
        close(s);
    }
    freeaddrinfo(all);
    fprintf(stderr, "cannot connect to %s: %s\n", host, strerror(saved));
    return -1;
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

int main(int argc, char **argv)
{
    char piece[4096], echo[4096];
    size_t len = 0, off = 0;
    unsigned long long sent = 0, got = 0;
    int ended = 0, sock;

    if (argc != 3) {
        fprintf(stderr, "usage: %s HOST PORT\n", argv[0]);
        return 2;
    }
    if (port_is_bad(argv[2])) {
        fprintf(stderr, "client: port %s: not in 1..65535\n", argv[2]);
        return 1;
    }
    signal(SIGPIPE, SIG_IGN);
    sock = dial(argv[1], argv[2]);
    if (sock < 0)
        return 1;
    if (fcntl(sock, F_SETFL, O_NONBLOCK) < 0)
        die("fcntl");
    while (!ended || got < sent) {
        struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                {.fd = sock, .events = POLLIN}};
        ssize_t n;

        if (ended || off < len)
            fds[0].fd = -1;
        if (off < len)
            fds[1].events |= POLLOUT;
        if (poll(fds, 2, -1) < 0) {
            if (errno == EINTR)
                continue;
            die("poll");
        }
        if (fds[0].revents != 0) {
            n = read(STDIN_FILENO, piece, sizeof piece);
            if (n < 0)
                die("stdin");
            if (n == 0) {
                ended = 1;
                shutdown(sock, SHUT_WR);
                continue;
            }
            len = (size_t)n;
            off = 0;
        }
        if (off < len) {
            n = write(sock, piece + off, len - off);
            if (n < 0 && errno != EAGAIN && errno != EINTR)
                die("send");
            if (n > 0) {
                off += (size_t)n;
                sent += (size_t)n;
            }
        }
        if (fds[1].revents & (POLLIN | POLLERR | POLLHUP)) {
            n = read(sock, echo, sizeof echo);
            if (n == 0) {
                fprintf(stderr, "client: the server ended too early\n");
                return 1;
            }
            if (n < 0 && errno != EAGAIN && errno != EINTR)
                die("recv");
            if (n > 0) {
                got += (size_t)n;
                show(echo, (size_t)n);
            }
        }
    }
    close(sock);
    return 0;
}
