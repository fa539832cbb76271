/* Wrong: takes the port by atoi: a word becomes 0 and the server listens
 *        wherever the kernel likes.
 * Fails: startup
 * Line: 29
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

static int listen_on(const char *port)
{
    struct sockaddr_in addr;
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0) {
        perror("socket");
        exit(1);
    }
    memset(&addr, 0, sizeof addr);
    addr.sin_family = AF_INET;
    addr.sin_port = htons((unsigned short)atoi(port));
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, (struct sockaddr *)&addr, sizeof addr) < 0 || /* BUG */
        listen(fd, 5) < 0) {
        fprintf(stderr, "%s: %s\n", port, strerror(errno));
        exit(1);
    }
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

static void serve(int fd)
{
    char buf[3072];
    ssize_t n;

    while ((n = read(fd, buf, sizeof buf)) > 0)
        if (writen(fd, buf, (size_t)n) < 0)
            break;
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
