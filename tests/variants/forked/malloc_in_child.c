/* Right: each child allocates its own buffer.
 * Quick: no */
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

static int str_echo(int fd, char *buf, size_t size)
{
    for (;;) {
        ssize_t done = 0, n = read(fd, buf, size);

        if (n == 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return -1;
        while (done < n) {
            ssize_t w = write(fd, buf + done, n - done);
            if (w < 0 && errno != EINTR)
                return -1;
            if (w > 0)
                done += w;
        }
    }
}

static void child(int fd)
{
    size_t size = 65536;
    char *buf = malloc(size);

    if (buf == NULL)
        die("malloc");
    if (str_echo(fd, buf, size) < 0) {
        free(buf);
        die("connection");
    }
    free(buf);
    exit(0);
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

        if (connfd == -1) {
            /* A shortage may last: do not ask again at once. */
            if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
                poll(NULL, 0, 100);
            continue;
        }

        switch (fork()) {
        case -1:
            perror("fork");
            break;
        case 0:
            close(listenfd);
            child(connfd);
        }
        close(connfd);
    }
}
