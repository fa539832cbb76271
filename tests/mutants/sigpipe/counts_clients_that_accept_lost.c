/* Wrong: a client that has gone before it was accepted is counted as a broken
 * connection, though no read or write has failed.
 * Fails: sigpipe
 * Line: 100
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static int listen_on(const char *arg)
{
    char *end;
    long port = strtol(arg, &end, 10);
    if (*arg == 0 || *end || port < 0 || port > 65535) {
        fprintf(stderr, "%s: not a port: %s\n", arg, strerror(EINVAL));
        exit(1);
    }
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        die("socket");
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(port)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (void *)&sa, sizeof sa) < 0)
        die("bind");
    if (listen(fd, 128) < 0)
        die("listen");
    return fd;
}

static int broken;

static void count_broken(void)
{
    printf("broken connections: %d\n", ++broken);
    fflush(stdout);
}

static int send_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t k = send(fd, p, n, MSG_NOSIGNAL);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return -1;
        p += k;
        n -= k;
    }
    return 0;
}

static void serve(int fd)
{
    char buf[4096];
    for (;;) {
        ssize_t n = read(fd, buf, sizeof(buf));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            count_broken();
            break;
        }
        if (n == 0)
            break;
        if (send_all(fd, buf, n) < 0) {
            count_broken();
            break;
        }
    }
    close(fd);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        exit(2);
    }
    int lfd = listen_on(argv[1]);
    for (;;) {
        int fd = accept(lfd, NULL, NULL);
        if (fd < 0) {
            if (errno == EINTR || errno == EAGAIN)
                continue;
            if (errno == ECONNABORTED)
                count_broken(); /* BUG */
            if (errno == ECONNABORTED || errno == EPROTO)
                continue;
            if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK)
                die("accept");
            poll(NULL, 0, 100);
            continue;
        }
        serve(fd);
    }
}
