/* Right: one IPv6 socket takes IPv4 too, or IPv4 where IPv6 is missing. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A bound socket, or -1 with errno. */
static int bound_to(const void *addr, socklen_t size, int family)
{
    int on = 1, off = 0, saved;
    int fd = socket(family, SOCK_STREAM, 0);

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        (family != AF_INET6 ||
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0) &&
        bind(fd, addr, size) == 0)
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static int listen_on(unsigned short port)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
                              .sin6_port = htons(port),
                              .sin6_addr = IN6ADDR_ANY_INIT};
    struct sockaddr_in v4 = {.sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_ANY)};
    int fd = bound_to(&v6, sizeof v6, AF_INET6);

    if (fd < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
        fd = bound_to(&v4, sizeof v4, AF_INET);
    if (fd < 0 || listen(fd, SOMAXCONN) < 0) {
        perror("cannot listen");
        exit(1);
    }
    return fd;
}

/* A failing accept never ends the server; a shortage is waited out. */
static int next_client(int listener)
{
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd >= 0)
            return fd;
        if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO)
            continue;
        perror("accept");
        poll(NULL, 0, 100);
    }
}

static ssize_t writen(int fd, const void *buf, size_t n)
{
    const char *p = buf;
    size_t left = n;

    while (left > 0) {
        ssize_t w = write(fd, p, left);

        if (w < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        left -= (size_t)w;
        p += w;
    }
    return (ssize_t)n;
}

int main(int argc, char **argv)
{
    unsigned port;
    char rest;
    int listener;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    if (sscanf(argv[1], "%5u%c", &port, &rest) != 1 || port < 1 ||
        port > 65535) {
        fprintf(stderr, "%s: port must be a number in 1..65535\n", argv[1]);
        return 1;
    }
    listener = listen_on((unsigned short)port);
    for (;;) {
        char buf[2048];
        int fd = next_client(listener);
        ssize_t n;

        while ((n = read(fd, buf, sizeof buf)) != 0) {
            if (n < 0 && errno == EINTR)
                continue;
            if (n < 0 || writen(fd, buf, (size_t)n) < 0)
                break;
        }
        close(fd);
    }
}
