/* Wrong: reads stdin on after a read that gave all it was asked for: a line
 * of just 1024 bytes is not sent before the next one is typed.
 * Fails: echo
 * Line: 111
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

int main(int argc, char **argv)
{
    char piece[4096], echo[4096];
    size_t len = 0, off = 0; /* of the piece: read, and sent so far */
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
    sock = connect_to(argv[1], argv[2]);
    if (fcntl(sock, F_SETFL, O_NONBLOCK) < 0)
        die("fcntl");

    while (!ended || got < sent) {
        struct pollfd watch[2] = {
            {.fd = ended || off < len ? -1 : STDIN_FILENO, .events = POLLIN},
            {.fd = sock, .events = off < len ? POLLIN | POLLOUT : POLLIN}};
        ssize_t n;

        if (poll(watch, 2, -1) < 0) {
            if (errno == EINTR)
                continue;
            die("poll");
        }
        if (watch[0].revents != 0) {
            len = off = 0;
            do {
                n = read(STDIN_FILENO, piece + len, 1024); /* BUG */
                if (n > 0)
                    len += (size_t)n;
            } while (n == 1024 && len < sizeof piece);
            if (n < 0 && errno != EINTR)
                die("stdin");
            if (n == 0 && len == 0) {
                ended = 1;
                shutdown(sock, SHUT_WR); /* failing, the count decides */
                continue;
            }
        }
        if (off < len) {
            n = write(sock, piece + off, len - off);
            if (n < 0 && errno != EAGAIN && errno != EINTR)
                die("write");
            if (n > 0) {
                off += (size_t)n;
                sent += (size_t)n;
            }
        }
        if (watch[1].revents & ~POLLOUT) {
            n = read(sock, echo, sizeof echo);
            if (n == 0) {
                fprintf(stderr, "client: the server ended too early\n");
                return 1;
            }
            if (n < 0 && errno != EAGAIN && errno != EINTR)
                die("read");
            if (n > 0) {
                show(echo, (size_t)n);
                got += (size_t)n;
            }
        }
    }
    close(sock);
    return 0;
}
