/* Right: a ring between stdin and the socket, readv and writev. */
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
#include <sys/uio.h>
#include <unistd.h>

enum { SIZE = 10000 };
static char ring[SIZE];
static size_t head, used; /* first byte, number of bytes */

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

/* The two runs that len bytes from start make in the ring. */
static void spans(struct iovec v[2], size_t start, size_t len)
{
    size_t first = len < SIZE - start ? len : SIZE - start;

    v[0] = (struct iovec){ring + start, first};
    v[1] = (struct iovec){ring, len - first};
}

static int transient(void)
{
    return errno == EAGAIN || errno == EINTR;
}

int main(int argc, char **argv)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    unsigned long long taken = 0, got = 0;
    int ended = 0, half_closed = 0, sock;

    if (argc != 3) {
        fprintf(stderr, "usage: %s HOST PORT\n", argv[0]);
        return 2;
    }
    if (port_is_bad(argv[2])) {
        fprintf(stderr, "client: port %s: not in 1..65535\n", argv[2]);
        return 1;
    }
    sigaction(SIGPIPE, &ignore, NULL);
    sock = connect_to(argv[1], argv[2]);
    if (fcntl(sock, F_SETFL, O_NONBLOCK) < 0)
        die("fcntl");
    while (!ended || got < taken) {
        struct pollfd p[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                              {.fd = sock, .events = POLLIN}};
        struct iovec v[2];
        char lo[100], hi[4000];
        ssize_t n;

        if (ended && used == 0 && !half_closed) {
            shutdown(sock, SHUT_WR); /* failing, the count decides */
            half_closed = 1;
        }
        if (ended || used == SIZE)
            p[0].fd = -1;
        if (used > 0)
            p[1].events |= POLLOUT;
        if (poll(p, 2, -1) < 0) {
            if (errno == EINTR)
                continue;
            die("poll");
        }
        if (p[0].revents != 0) {
            spans(v, (head + used) % SIZE, SIZE - used);
            n = readv(STDIN_FILENO, v, 2);
            if (n < 0 && errno != EINTR)
                die("stdin");
            if (n == 0) {
                ended = 1;
                continue;
            }
            if (n > 0) {
                used += (size_t)n;
                taken += (unsigned long long)n;
            }
        }
        if (used > 0) {
            spans(v, head, used);
            n = writev(sock, v, 2);
            if (n < 0 && !transient())
                die("writev");
            if (n > 0) {
                head = (head + (size_t)n) % SIZE;
                used -= (size_t)n;
            }
        }
        if (p[1].revents & (POLLIN | POLLERR | POLLHUP)) {
            v[0] = (struct iovec){lo, sizeof lo};
            v[1] = (struct iovec){hi, sizeof hi};
            n = readv(sock, v, 2);
            if (n == 0) {
                fprintf(stderr, "client: the server ended too early\n");
                return 1;
            }
            if (n < 0 && !transient())
                die("readv");
            if (n > 0) {
                size_t low = (size_t)n < sizeof lo ? (size_t)n : sizeof lo;

                show(lo, low);
                show(hi, (size_t)n - low);
                got += (unsigned long long)n;
            }
        }
    }
    close(sock);
    return 0;
}
