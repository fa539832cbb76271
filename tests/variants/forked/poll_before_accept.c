/* Right: the server polls a non-blocking listening socket.
 * Quick: no */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int bind_and_listen(const char *port)
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

static int copy_back(int fd)
{
    char buf[3000];
    ssize_t n, done, w;

    for (;;) {
        n = read(fd, buf, sizeof(buf));
        if (n == 0 || (n == -1 && errno != EINTR))
            return (int)n;
        for (done = 0; done < n; done += w)
            if ((w = write(fd, buf + done, n - done)) == -1) {
                if (errno != EINTR)
                    return -1;
                w = 0;
            }
    }
}

int main(int argc, char **argv)
{
    struct pollfd pfd = {.events = POLLIN};
    int connfd;

    if (argc != 2) {
        fputs("usage: SERVER PORT\n", stderr);
        exit(2);
    }

    pfd.fd = bind_and_listen(argv[1]);
    if (fcntl(pfd.fd, F_SETFL, O_NONBLOCK) == -1)
        err(1, "fcntl");
    for (;;) {
        if (poll(&pfd, 1, -1) < 1)
            continue;
        if ((connfd = accept(pfd.fd, NULL, NULL)) == -1) {
            switch (errno) {
            case EAGAIN: /* it went away meanwhile */
            case EINTR:
            case EPROTO:
            case ECONNABORTED:
                continue;
            }
            warn("accept");
            poll(NULL, 0, 100);
            continue;
        }
        switch (fork()) {
        case -1:
            warn("fork");
            break;
        case 0:
            close(pfd.fd);
            _exit(copy_back(connfd) == 0 ? 0 : 1);
        }
        close(connfd);
    }
}
