/* Right: readv fills two buffers, writev sends what they hold. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int listen_on(const char *text)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    char *end;
    long port = strtol(text, &end, 10);
    int fd, on = 1;

    if (*end != '\0' || port < 1 || port > 65535) {
        fprintf(stderr, "bad port: %s\n", text);
        exit(1);
    }
    any.sin_addr.s_addr = htonl(INADDR_ANY);
    any.sin_port = htons((unsigned short)port);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        die("socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
        die("setsockopt");
    if (bind(fd, (struct sockaddr *)&any, sizeof any) < 0)
        die("bind");
    if (listen(fd, SOMAXCONN) < 0)
        die("listen");
    return fd;
}

static int wait_for_client(int lfd)
{
    int fd;

    while ((fd = accept(lfd, NULL, NULL)) < 0) {
        switch (errno) {
        case EINTR:
        case ECONNABORTED:
        case EPROTO:
            break;
        default: /* no descriptor or memory now: try again later */
            usleep(100000);
        }
    }
    return fd;
}

/* Sends len bytes that lie in two pieces; -1 when the connection broke. */
static int send_pieces(int fd, struct iovec *v, size_t len)
{
    if (v[0].iov_len > len)
        v[0].iov_len = len;
    v[1].iov_len = len - v[0].iov_len;
    while (len > 0) {
        ssize_t n = writev(fd, v, 2);
        size_t first;

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        len -= (size_t)n;
        first = (size_t)n < v[0].iov_len ? (size_t)n : v[0].iov_len;
        v[0].iov_base = (char *)v[0].iov_base + first;
        v[0].iov_len -= first;
        v[1].iov_base = (char *)v[1].iov_base + ((size_t)n - first);
        v[1].iov_len -= (size_t)n - first;
    }
    return 0;
}

static void serve(int fd)
{
    char one[700], two[3000];

    for (;;) {
        struct iovec v[2] = {{one, sizeof one}, {two, sizeof two}};
        ssize_t n = readv(fd, v, 2);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        if (send_pieces(fd, v, (size_t)n) < 0)
            return;
    }
}

int main(int argc, char **argv)
{
    int lfd, fd;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    lfd = listen_on(argv[1]);
    for (;;) {
        fd = wait_for_client(lfd);
        serve(fd);
        close(fd);
    }
}
