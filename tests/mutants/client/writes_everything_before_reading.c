/* Wrong: reads no echo before the end of stdin: on a long input both ends
 *        block in write, and no line is answered before the next.
 * Fails: concurrency
 * Also: echo reset shutdown
 * Line: 94
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
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

static void write_all(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            die(fd == STDOUT_FILENO ? "stdout" : "write");
        p += n;
        len -= (size_t)n;
    }
}

int main(int argc, char **argv)
{
    unsigned long long sent = 0, got = 0;
    char buf[4096];
    ssize_t n;
    int sock;

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
    while ((n = read(STDIN_FILENO, buf, sizeof buf)) > 0) {
        write_all(sock, buf, (size_t)n); /* BUG */
        sent += (unsigned long long)n;
    }
    if (n < 0)
        die("stdin");
    shutdown(sock, SHUT_WR);
    while (got < sent) {
        n = read(sock, buf, sizeof buf);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            die("read");
        if (n == 0) {
            fprintf(stderr, "client: only a part came back\n");
            return 1;
        }
        write_all(STDOUT_FILENO, buf, (size_t)n);
        got += (unsigned long long)n;
    }
    close(sock);
    return 0;
}
