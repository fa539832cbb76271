/* Right: connect() does not block, SO_ERROR says what came of it; one poll
 * loop; tells by AI_CANONNAME to whom it is connected. */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What connect() came to: 0 or an error. */
static int outcome(int fd, const struct addrinfo *to)
{
    struct pollfd until = {fd, POLLOUT, 0};
    int e;

    if (connect(fd, to->ai_addr, to->ai_addrlen) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    if (TEMP_FAILURE_RETRY(poll(&until, 1, -1)) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &(socklen_t){sizeof e}) < 0)
        return errno;
    return e;
}

static int connection_to(const char *host, const char *port)
{
    struct addrinfo *all, hints = {.ai_flags = AI_CANONNAME};
    int e = EAI_SERVICE, fd = -1;

    hints.ai_socktype = SOCK_STREAM;
    if (*port && (port[strspn(port, "0123456789")] || atol(port) < 65536))
        e = getaddrinfo(host, port, &hints, &all);
    if (e)
        errx(1, "%s: %s", host,
             e == EAI_SYSTEM ? strerror(errno) : gai_strerror(e));
    fprintf(stderr, "trying %s\n", all->ai_canonname);
    for (const struct addrinfo *one = all; one; one = one->ai_next) {
        fd = socket(one->ai_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
        e = fd < 0 ? errno : outcome(fd, one);
        if (e == 0)
            break;
        if (fd >= 0)
            close(fd);
    }
    freeaddrinfo(all);
    errno = e;
    if (e)
        err(1, "%s", host);
    return fd;
}

static void show(const char *what, ssize_t n)
{
    ssize_t w;

    for (; n > 0; what += w, n -= w)
        if ((w = TEMP_FAILURE_RETRY(write(1, what, (size_t)n))) < 0)
            err(1, "stdout");
}

/* n, or 0 for now: but a failure ends the program. */
static ssize_t worth(ssize_t n, const char *what)
{
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        err(1, "%s", what);
    return n < 0 ? 0 : n;
}

int main(int argc, char **argv)
{
    enum { KEYS, NET };
    static char typed[32768], echo[32768], *from = typed, *to = typed;
    unsigned long long owed = 0;
    bool open = true, half = false;

    if (argc != 3)
        errx(2, "usage: %s HOST PORT", argv[0]);
    int fd = connection_to(argv[1], argv[2]);
    while (open || from < to || owed > 0) {
        struct pollfd p[] = {[KEYS] = {.fd = -1, .events = POLLIN},
                             [NET] = {.fd = fd, .events = POLLIN}};
        if (from < to)
            p[NET].events |= POLLOUT;
        else if (open)
            p[KEYS].fd = 0;
        else if (!half)
            half = shutdown(fd, SHUT_WR) == 0;
        if (worth(poll(p, 2, -1), "poll") == 0)
            continue;
        if (p[NET].revents & ~POLLOUT) {
            ssize_t n = recv(fd, echo, sizeof echo, 0);
            if (n == 0)
                errx(1, "the server ended the connection too early");
            n = worth(n, "recv");
            show(echo, n);
            owed -= (size_t)n;
        }
        if (p[KEYS].revents) {
            ssize_t n = read(0, typed, sizeof typed);
            open = n != 0;
            from = typed;
            to = typed + worth(n, "stdin");
        }
        if (from < to) {
            ssize_t n = send(fd, from, (size_t)(to - from), MSG_NOSIGNAL);
            from += worth(n, "send");
            owed += n > 0 ? (size_t)n : 0;
        }
    }
    close(fd);
    return 0;
}
