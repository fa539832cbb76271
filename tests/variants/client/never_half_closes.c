/* Right: waits for all bytes at the end and simply closes. */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static void die(const char *what)
{
    fprintf(stderr, "client: %s: %s\n", what, strerror(errno));
    exit(1);
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
    static char todo[16384];
    char back[1024];
    size_t held = 0;       /* bytes in todo that wait to be sent */
    long long missing = 0; /* bytes read from stdin, not yet back */
    int more = 1, sock;

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

    while (more || missing > 0) {
        struct pollfd p[2] = {{.fd = sock, .events = POLLIN},
                              {.fd = STDIN_FILENO, .events = POLLIN}};
        ssize_t n;

        if (held > 0)
            p[0].events |= POLLOUT;
        if (!more || held == sizeof todo)
            p[1].fd = -1;
        if (poll(p, 2, -1) < 0) {
            if (errno == EINTR)
                continue;
            die("poll");
        }
        if (p[1].revents != 0) {
            n = read(STDIN_FILENO, todo + held, sizeof todo - held);
            if (n < 0 && errno != EINTR)
                die("stdin");
            if (n == 0) {
                more = 0;
                continue;
            }
            if (n > 0) {
                held += (size_t)n;
                missing += n;
            }
        }
        if (p[0].revents & (POLLIN | POLLERR | POLLHUP)) {
            n = recv(sock, back, sizeof back, MSG_DONTWAIT);
            if (n == 0) {
                fprintf(stderr, "the server closed before the end\n");
                return 1;
            }
            if (n < 0 && errno != EAGAIN && errno != EINTR)
                die("recv");
            if (n > 0) {
                show(back, (size_t)n);
                missing -= n;
            }
        }
        if (p[0].revents & POLLOUT) {
            n = send(sock, todo, held, MSG_DONTWAIT);
            if (n < 0 && errno != EAGAIN && errno != EINTR)
                die("send");
            if (n > 0) {
                held -= (size_t)n;
                memmove(todo, todo + n, held);
            }
        }
    }
    close(sock);
    return 0;
}
