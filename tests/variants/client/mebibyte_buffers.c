/* Right: ppoll with buffers of one mebibyte. */
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

struct flow {
    char bytes[1 << 20];
    size_t from, to;
};

static struct flow up, down; /* stdin to socket, socket to stdout */

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

/* 1 if something came, 0 at the end, -1 if not now. */
static int fill(struct flow *f, int fd)
{
    ssize_t n = read(fd, f->bytes, sizeof f->bytes);

    if (n < 0 && errno != EAGAIN && errno != EINTR)
        die("read");
    f->from = 0;
    f->to = n > 0 ? (size_t)n : 0;
    return n > 0 ? 1 : (int)n;
}

static void drain(struct flow *f, int fd)
{
    ssize_t n = write(fd, f->bytes + f->from, f->to - f->from);

    if (n < 0 && errno != EAGAIN && errno != EINTR)
        die("write");
    if (n > 0)
        f->from += (size_t)n;
}

int main(int argc, char **argv)
{
    unsigned long long taken = 0, got = 0;
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
    if (fcntl(sock, F_SETFL, fcntl(sock, F_GETFL) | O_NONBLOCK) < 0)
        die("fcntl");
    while (!ended || got < taken) {
        struct pollfd p[2] = {{.fd = sock, .events = POLLIN},
                              {.fd = STDIN_FILENO, .events = POLLIN}};

        if (up.from < up.to)
            p[0].events |= POLLOUT;
        if (ended || up.from < up.to)
            p[1].fd = -1;
        if (ppoll(p, 2, NULL, NULL) < 0) {
            if (errno == EINTR)
                continue;
            die("ppoll");
        }
        if (p[1].revents != 0) {
            ended = fill(&up, STDIN_FILENO) == 0;
            taken += up.to;
            if (ended) {
                shutdown(sock, SHUT_WR); /* failing, the count decides */
                continue;
            }
        }
        if (p[0].revents & (POLLIN | POLLERR | POLLHUP)) {
            if (fill(&down, sock) == 0) {
                fprintf(stderr, "client: server closed the connection\n");
                return 1;
            }
            got += down.to;
            while (down.from < down.to)
                drain(&down, STDOUT_FILENO);
        }
        if (p[0].revents & POLLOUT)
            drain(&up, sock);
    }
    close(sock);
    return 0;
}
