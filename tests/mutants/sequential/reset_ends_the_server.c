/* Wrong: ends the whole server when a read fails because one client has reset
 *        its connection.
 * Fails: reset
 * Line: 87
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
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

/* A failing accept never ends the server; a shortage is waited out. */
static int next_client(int listener)
{
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd >= 0)
            return fd;
        if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO)
            continue;
        perror("accept");
        poll(NULL, 0, 100);
    }
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

static ssize_t Read(int fd, void *buf, size_t size)
{
    ssize_t n = read(fd, buf, size);

    if (n < 0)
        die("read"); /* BUG */
    return n;
}

int main(int argc, char **argv)
{
    char buf[8192];
    int lfd;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    lfd = listen_on(argv[1]);
    for (;;) {
        int fd = next_client(lfd);
        ssize_t n;

        do {
            n = Read(fd, buf, sizeof buf);
            if (n > 0 && writen(fd, buf, (size_t)n) < 0)
                n = 0; /* broken: nothing more to send */
        } while (n > 0);
        close(fd);
    }
}
