/* Right: a socket for IPv6 only, then one for IPv4; poll() tells where the
 * next client waits. Each piece is logged on stdout, as it came; what went
 * wrong in a file, which is opened when it is needed first. */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int open_family(int family, const char *port)
{
    struct addrinfo hints = {.ai_family = family,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *at;
    int on = 1, fd = -1, error = getaddrinfo(NULL, port, &hints, &at);

    if (error != 0) {
        fprintf(stderr, "sequential: %s: %s\n", port, gai_strerror(error));
        return -1;
    }
    fd = socket(at->ai_family, at->ai_socktype, at->ai_protocol);
    if (fd >= 0 && family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
        bind(fd, at->ai_addr, at->ai_addrlen) || listen(fd, 64)) {
        fprintf(stderr, "sequential: port %s: %s\n", port, strerror(errno));
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(at);
    return fd;
}

static int send_all(int fd, const char *from, size_t left)
{
    while (left > 0) {
        ssize_t n = send(fd, from, left, MSG_NOSIGNAL);

        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            from += n;
            left -= (size_t)n;
        }
    }
    return 0;
}

static void went_wrong(const char *what)
{
    static FILE *file;
    int error = errno;

    if (!file)
        file = fopen("/dev/null", "a");
    if (file) {
        fprintf(file, "%s: %s\n", what, strerror(error));
        fflush(file);
    }
    errno = error;
}

static void serve(int fd)
{
    char piece[2000];

    for (;;) {
        ssize_t n = recv(fd, piece, sizeof(piece), 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            return;
        if (n < 0 || send_all(fd, piece, (size_t)n) < 0) {
            went_wrong("a client");
            return;
        }
        printf("%zd bytes: ", n);
        fwrite(piece, 1, (size_t)n, stdout);
        putchar('\n');
        fflush(stdout);
    }
}

static void serve_next(int listener)
{
    int fd = accept(listener, NULL, NULL);

    if (fd >= 0) {
        serve(fd);
        close(fd);
    } else if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO) {
        nanosleep(&(struct timespec){0, 50000000}, NULL);
    }
}

int main(int argc, char **argv)
{
    struct pollfd wait[2] = {{-1, POLLIN, 0}, {-1, POLLIN, 0}};
    char *end;

    if (argc != 2) {
        fputs("usage: sequential PORT\n", stderr);
        return 2;
    }
    long number = strtol(argv[1], &end, 10);
    if (*end || number < 1 || number > 65535) {
        fprintf(stderr, "sequential: %s is no port\n", argv[1]);
        return 1;
    }
    wait[0].fd = open_family(AF_INET6, argv[1]);
    wait[1].fd = wait[0].fd < 0 ? -1 : open_family(AF_INET, argv[1]);
    if (wait[1].fd < 0)
        return 1;
    for (;;) {
        if (poll(wait, 2, -1) < 0)
            continue;
        for (int i = 0; i < 2; i++)
            if (wait[i].revents)
                serve_next(wait[i].fd);
    }
}
