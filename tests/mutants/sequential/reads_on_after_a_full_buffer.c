/* Wrong: takes a full read for a part of a message, and reads on before it
 * answers: a message of just 1024 bytes waits for the next one.
 * Fails: echo
 * Line: 85
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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

static int send_all(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

/* A message: read until a read gives less than it could. */
static ssize_t get_message(int fd, char *buf, size_t size)
{
    size_t len = 0;

    while (len + 1024 <= size) {
        ssize_t n = read(fd, buf + len, 1024); /* BUG */

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        len += (size_t)n;
        if (n < 1024)
            break;
    }
    return (ssize_t)len;
}

static void serve(int fd)
{
    char buf[65536];
    ssize_t n;

    while ((n = get_message(fd, buf, sizeof buf)) > 0)
        if (send_all(fd, buf, (size_t)n) < 0)
            return;
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
