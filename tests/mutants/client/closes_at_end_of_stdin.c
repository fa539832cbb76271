/* Wrong: closes the connection as soon as stdin ends; the echo that is still
 *        under way is lost.
 * Fails: shutdown
 * Also: echo
 * Line: 141
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
    rc = getaddrinfo(host, port, &want, &all);
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

static int fail(const char *why)
{
    fprintf(stderr, "client: %s\n", why);
    return 1;
}

static int put(const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDOUT_FILENO, p, len);

        if (n < 0)
            return -1;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

int main(int argc, char **argv)
{
    char line[4096], in[4096], *p = line;
    size_t todo = 0;
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
        return fail("descriptor too large for select");
    for (;;) {
        fd_set r, w;
        ssize_t n;

        FD_ZERO(&r);
        FD_ZERO(&w);
        FD_SET(s, &r);
        if (todo > 0)
            FD_SET(s, &w);
        else if (!at_end)
            FD_SET(STDIN_FILENO, &r);
        if (select(s + 1, &r, &w, NULL, NULL) < 0) {
            if (errno == EINTR)
                continue;
            return fail(strerror(errno));
        }
        if (FD_ISSET(STDIN_FILENO, &r)) {
            n = read(STDIN_FILENO, line, sizeof line);
            if (n < 0)
                return fail(strerror(errno));
            if (n == 0) {
                at_end = 1;
                break;
            }
            p = line;
            todo = (size_t)n;
        }
        if (FD_ISSET(s, &w)) {
            n = send(s, p, todo, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (n < 0 && errno != EAGAIN && errno != EINTR)
                return fail(strerror(errno));
            if (n > 0) {
                p += n;
                todo -= (size_t)n;
            }
        }
        if (FD_ISSET(s, &r)) {
            n = recv(s, in, sizeof in, MSG_DONTWAIT);
            if (n == 0)
                return fail("the server has closed the connection");
            if (n < 0 && errno != EAGAIN && errno != EINTR)
                return fail(strerror(errno));
            if (n > 0 && put(in, (size_t)n) < 0)
                return fail(strerror(errno));
        }
    }
    close(s); /* BUG */
    return 0;
}
