/* Wrong: asks errno why getaddrinfo failed, which has an answer of its own.
 * Fails: startup
 * Line: 32
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

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
    want.ai_family = AF_UNSPEC;
    want.ai_socktype = SOCK_STREAM;
    rc = getaddrinfo(host, port, &want, &all); /* BUG */
    if (rc != 0) {
        perror("getaddrinfo");
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

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    return 1;
}

static int put(const char *p, ssize_t len)
{
    ssize_t done = 0, n;

    while (done < len) {
        n = write(1, p + done, (size_t)(len - done));
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0)
            done += n;
    }
    return 0;
}

int main(int argc, char **argv)
{
    char out[2048], in[2048], *next = out;
    size_t left = 0;
    long long pending = 0; /* sent and not yet back */
    int at_end = 0, s;

    if (argc != 3) {
        fprintf(stderr, "usage: %s HOST PORT\n", argv[0]);
        return 2;
    }
    if (port_is_bad(argv[2])) {
        fprintf(stderr, "client: port %s: not in 1..65535\n", argv[2]);
        return 1;
    }
    s = dial(argv[1], argv[2]);
    if (s < 0)
        return 1;
    if (s >= FD_SETSIZE)
        return fail("select", "descriptor too large");

    for (;;) {
        fd_set r, w;
        ssize_t n;

        if (at_end && pending <= 0)
            return 0;
        FD_ZERO(&r);
        FD_ZERO(&w);
        FD_SET(s, &r);
        if (left > 0)
            FD_SET(s, &w);
        else if (!at_end)
            FD_SET(0, &r);
        if (select(s + 1, &r, &w, NULL, NULL) < 0) {
            if (errno == EINTR)
                continue;
            return fail("select", strerror(errno));
        }
        if (FD_ISSET(0, &r)) {
            n = read(0, out, sizeof out);
            if (n < 0 && errno != EINTR)
                return fail("stdin", strerror(errno));
            if (n == 0) {
                at_end = 1;
                shutdown(s, SHUT_WR); /* failing, the count decides */
                continue;
            }
            if (n > 0) {
                next = out;
                left = (size_t)n;
            }
        }
        if (FD_ISSET(s, &w)) {
            n = send(s, next, left, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (n > 0) {
                next += n;
                left -= (size_t)n;
                pending += n;
            } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
                return fail("send", strerror(errno));
            }
        }
        if (FD_ISSET(s, &r)) {
            n = recv(s, in, sizeof in, MSG_DONTWAIT);
            if (n == 0)
                return fail("recv", "connection closed by the server");
            if (n < 0 && errno != EAGAIN && errno != EINTR)
                return fail("recv", strerror(errno));
            if (n > 0 && put(in, n) < 0)
                return fail("stdout", strerror(errno));
            if (n > 0)
                pending -= n;
        }
    }
}
