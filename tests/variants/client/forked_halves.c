/* Right: a child sends, the parent receives and decides. */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
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

static int put(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

/* The child: at its good end it tells the parent how much it has sent. */
static int send_stdin(int sock, int report)
{
    unsigned long long total = 0;
    char buf[4096];
    ssize_t n;

    while ((n = read(STDIN_FILENO, buf, sizeof buf)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || put(sock, buf, (size_t)n) < 0)
            die(n < 0 ? "stdin" : "write");
        total += (unsigned long long)n;
    }
    if (put(report, (char *)&total, sizeof total) < 0)
        die("report");
    shutdown(sock, SHUT_WR); /* failing, the count decides */
    return 0;
}

/* The parent: 0 when all came back, 1 when the connection ended before. */
static int receive(int sock, int report)
{
    unsigned long long got = 0, total = 0;
    struct pollfd fds[2] = {{.fd = sock, .events = POLLIN},
                            {.fd = report, .events = POLLIN}};
    char buf[4096];

    while (fds[1].fd >= 0 || got < total) {
        ssize_t n = poll(fds, 2, -1);

        if (n > 0 && fds[1].revents != 0) {
            n = read(report, &total, sizeof total);
            if (n == 0)
                return 1; /* the child failed, and said why */
            if (n > 0)
                fds[1].fd = -1;
        } else if (n > 0) {
            n = read(sock, buf, sizeof buf);
            if (n == 0) {
                fprintf(stderr, "client: the server ended too early\n");
                return 1;
            }
            if (n > 0 && put(STDOUT_FILENO, buf, (size_t)n) < 0)
                n = -1;
            if (n > 0)
                got += (unsigned long long)n;
        }
        if (n < 0 && errno != EINTR) {
            fprintf(stderr, "client: receive: %s\n", strerror(errno));
            return 1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    int sock, report[2], status;
    pid_t child;

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
    if (pipe(report) < 0)
        die("pipe");
    switch (child = fork()) {
    case -1:
        perror("fork");
        return 1;
    case 0:
        close(report[0]);
        return send_stdin(sock, report[1]);
    default:
        close(report[1]);
        status = receive(sock, report[0]);
        if (status != 0)
            kill(child, SIGTERM); /* it may wait for a key */
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
            ;
        return status;
    }
}
