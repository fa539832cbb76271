/* Wrong: takes the next address only when the last one refused. One that
 *        cannot be reached (ENETUNREACH, ETIMEDOUT), as an IPv6 address of a
 *        host where there is no IPv6, ends the search.
 * Fails: startup
 * Line: 62
 */
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

static const char *me;

static void quit(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s: %s\n", me, what, why);
    exit(1);
}

static int try_address(const struct addrinfo *ai)
{
    int saved, s = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);

    if (s < 0)
        return -1;
    if (connect(s, ai->ai_addr, ai->ai_addrlen) == 0)
        return s;
    saved = errno;
    close(s);
    errno = saved;
    return -1;
}

static int connect_any(const char *host, const char *service)
{
    struct addrinfo hints, *res, *ai;
    char *rest;
    long number;
    int rc, s = -1, error = 0;

    number = strtol(service, &rest, 10);
    if (*rest == '\0' && (number <= 0 || number > 65535))
        quit(service, gai_strerror(EAI_SERVICE));
    memset(&hints, 0, sizeof(hints));
    hints.ai_socktype = SOCK_STREAM;
    rc = getaddrinfo(host, service, &hints, &res);
    if (rc != 0)
        quit(host, gai_strerror(rc));
    for (ai = res; ai != NULL; ai = ai->ai_next) {
        s = try_address(ai);
        if (s >= 0)
            break;
        error = errno;
        /* no such family here, or nobody listens there: next one, please */
        if (error != ECONNREFUSED && error != EAFNOSUPPORT)
            quit("cannot connect", strerror(error)); /* BUG */
    }
    freeaddrinfo(res);
    if (s < 0)
        quit("cannot connect", strerror(error));
    return s;
}

static void put(const char *p, ssize_t n)
{
    while (n > 0) {
        ssize_t w = write(1, p, (size_t)n);

        if (w < 0) {
            if (errno == EINTR)
                continue;
            quit("stdout", strerror(errno));
        }
        p += w;
        n -= w;
    }
}

int main(int argc, char **argv)
{
    char out[4096], in[4096];
    size_t len = 0, off = 0;
    unsigned long long up = 0, down = 0;
    int eof = 0, s;

    me = argv[0];
    if (argc != 3) {
        fprintf(stderr, "usage: %s HOST PORT\n", me);
        exit(2);
    }
    signal(SIGPIPE, SIG_IGN);
    s = connect_any(argv[1], argv[2]);
    if (fcntl(s, F_SETFL, fcntl(s, F_GETFL) | O_NONBLOCK) < 0)
        quit("fcntl", strerror(errno));
    for (;;) {
        struct pollfd p[2];
        ssize_t n;

        if (eof && off == len && up == down)
            break;
        p[0].fd = (eof || off < len) ? -1 : 0;
        p[0].events = POLLIN;
        p[1].fd = s;
        p[1].events = off < len ? POLLIN | POLLOUT : POLLIN;
        if (poll(p, 2, -1) < 0) {
            if (errno == EINTR)
                continue;
            quit("poll", strerror(errno));
        }
        if (p[0].revents) {
            n = read(0, out, sizeof(out));
            if (n < 0) {
                if (errno == EINTR)
                    continue;
                quit("stdin", strerror(errno));
            }
            if (n == 0) {
                eof = 1;
                shutdown(s, SHUT_WR);
            }
            off = 0;
            len = (size_t)n;
        }
        if (off < len) {
            n = write(s, out + off, len - off);
            if (n < 0 && errno != EAGAIN && errno != EINTR)
                quit("write", strerror(errno));
            if (n > 0) {
                off += (size_t)n;
                up += (size_t)n;
            }
        }
        if (p[1].revents & ~POLLOUT) {
            n = read(s, in, sizeof(in));
            if (n == 0)
                quit("server", "has gone before all came back");
            if (n < 0 && errno != EAGAIN && errno != EINTR)
                quit("read", strerror(errno));
            if (n > 0) {
                put(in, n);
                down += (size_t)n;
            }
        }
    }
    close(s);
    return 0;
}
