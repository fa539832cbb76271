/* Wrong: ends when accept fails, whatever the reason.
 * Fails: accept
 * Line: 71
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

static ssize_t writen(int fd, const void *buf, size_t n)
{
    const char *p = buf;
    size_t left = n;

    while (left > 0) {
        ssize_t w = write(fd, p, left);

        if (w < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        left -= (size_t)w;
        p += w;
    }
    return (ssize_t)n;
}

/* The textbook wrapper: a call that fails ends the program. */
static int Accept(int fd)
{
    int conn = accept(fd, NULL, NULL);

    if (conn < 0)
        die("accept"); /* BUG */
    return conn;
}

static void str_echo(int fd)
{
    char buf[4096];
    ssize_t n;

again:
    while ((n = read(fd, buf, sizeof buf)) > 0)
        if (writen(fd, buf, (size_t)n) < 0)
            return;
    if (n < 0 && errno == EINTR)
        goto again;
}

int main(int argc, char **argv)
{
    int listenfd, connfd;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    listenfd = listen_on(argv[1]);
    for (;;) {
        connfd = Accept(listenfd);
        str_echo(connfd);
        close(connfd);
    }
}
