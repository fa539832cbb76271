/* Right: the child is a function of its own that ends in _exit.
 * Quick: no */
#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int make_server(const char *port)
{
    struct addrinfo *ai, hints = {.ai_family = AF_INET,
                                  .ai_socktype = SOCK_STREAM,
                                  .ai_flags = AI_PASSIVE};
    char *rest;
    long n = strtol(port, &rest, 10);
    int fd, rc, one = 1;

    if (*rest == '\0' && (n < 1 || n > 65535))
        errx(1, "port %s: %s", port, gai_strerror(EAI_SERVICE));
    if ((rc = getaddrinfo(NULL, port, &hints, &ai)) != 0)
        errx(1, "port %s: %s", port, gai_strerror(rc));
    if ((fd = socket(ai->ai_family, SOCK_STREAM, 0)) == -1)
        err(1, "socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == -1)
        err(1, "setsockopt");
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) == -1)
        err(1, "bind port %s", port);
    if (listen(fd, 100) == -1)
        err(1, "listen");
    freeaddrinfo(ai);
    return fd;
}

static int write_all(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

static int serve(int connfd)
{
    char buffer[8192];

    for (;;) {
        ssize_t got = read(connfd, buffer, sizeof(buffer));
        if (got == 0)
            return 0;
        if (got < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        if (write_all(connfd, buffer, (size_t)got) < 0)
            return -1;
    }
}

static _Noreturn void child(int listenfd, int connfd)
{
    int rc;

    close(listenfd);
    rc = serve(connfd);
    if (rc < 0)
        warn("connection");
    close(connfd);
    _exit(rc < 0);
}

int main(int argc, char **argv)
{
    int listenfd;

    if (argc != 2) {
        fputs("usage: SERVER PORT\n", stderr);
        exit(2);
    }

    listenfd = make_server(argv[1]);
    for (;;) {
        int connfd = accept(listenfd, NULL, NULL);
        pid_t pid;

        if (connfd == -1) {
            warn("accept");
            poll(NULL, 0, 50);
            continue;
        }

        pid = fork();
        if (pid == 0)
            child(listenfd, connfd);
        if (pid < 0)
            warn("fork");
        close(connfd);
    }
}
