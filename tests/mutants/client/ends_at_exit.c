/* Wrong: takes the line `exit` for a command of its own: it is never sent.
 * Fails: echo
 * Line: 111
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
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list, *ai;
    int s = -1, why = 0, rc = getaddrinfo(host, port, &hints, &list);

    if (rc != 0) {
        fprintf(stderr, "client: %s: %s\n", host, gai_strerror(rc));
        return -1;
    }
    for (ai = list; ai != NULL && s < 0; ai = ai->ai_next) {
        s = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
        if (s < 0 || connect(s, ai->ai_addr, ai->ai_addrlen) < 0) {
            why = errno;
            if (s >= 0)
                close(s);
            s = -1;
        }
    }
    freeaddrinfo(list);
    if (s < 0)
        fprintf(stderr, "client: connect: %s\n", strerror(why));
    return s;
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
    unsigned long out = 0, back = 0;
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

        if (at_end && back >= out)
            break;
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
            if (n == 0 || (n == 5 && memcmp(line, "exit\n", 5) == 0)) {
                at_end = 1;
                shutdown(s, SHUT_WR); /* BUG */
                continue;
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
                out += (size_t)n;
            }
        }
        if (FD_ISSET(s, &r)) {
            n = recv(s, in, sizeof in, MSG_DONTWAIT);
            if (n == 0)
                return fail("the server has closed the connection");
            if (n < 0 && errno != EAGAIN && errno != EINTR)
                return fail(strerror(errno));
            if (n > 0) {
                back += (size_t)n;
                if (put(in, (size_t)n) < 0)
                    return fail(strerror(errno));
            }
        }
    }
    close(s);
    return 0;
}
