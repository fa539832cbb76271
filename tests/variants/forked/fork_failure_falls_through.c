/* Right: two cases are enough: after -1 and the pid the same close.
 * Quick: no */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static int Socket(int family)
{
    int on = 1, fd = socket(family, SOCK_STREAM, 0);

    if (fd < 0)
        die("socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
        die("setsockopt");
    return fd;
}

static void Bind(int fd, unsigned short port)
{
    struct sockaddr_in any;

    memset(&any, 0, sizeof(any));
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_ANY);
    any.sin_port = htons(port);
    if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
        die("bind");
}

static void Listen(int fd)
{
    if (listen(fd, 1024) < 0)
        die("listen");
}

static unsigned short Port(const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);

    if (*end != '\0' || port <= 0 || port > 65535) {
        errno = EINVAL;
        die(text);
    }
    return (unsigned short)port;
}

static int write_all(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0) {
            return -1;
        }
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

static int str_echo(int connfd)
{
    char buffer[8192];

    for (;;) {
        ssize_t got = read(connfd, buffer, sizeof(buffer));
        if (got == 0)
            return 0;
        if (got < 0) {
            return -1;
        }
        if (write_all(connfd, buffer, (size_t)got) < 0)
            return -1;
    }
}

int main(int argc, char **argv)
{
    int listenfd, connfd;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    listenfd = Socket(AF_INET);
    Bind(listenfd, Port(argv[1]));
    Listen(listenfd);

    for (;;) {
        connfd = accept(listenfd, NULL, NULL);

        if (connfd < 0) {
            struct timespec tenth = {0, 100000000};
            switch (errno) {
            case EINTR:
            case ECONNABORTED:
            case EPROTO:
                break; /* that client went away: next, please */
            default:
                perror("accept");
                nanosleep(&tenth, NULL);
            }
            continue;
        }

        if (fork() == 0) {
            close(listenfd);
            exit(str_echo(connfd) == 0 ? 0 : 1);
        }
        close(connfd);
    }
}
