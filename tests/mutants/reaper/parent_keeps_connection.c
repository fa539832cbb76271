/* Wrong: the parent keeps the descriptor of each connection it took.
 * Fails: descriptors
 * Line: 66
 */
#include <err.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
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

static void child(int fd)
{
    char buf[4096];
    ssize_t n, i, w;

    while ((n = read(fd, buf, sizeof(buf))) > 0)
        for (i = 0; i < n; i += w)
            if ((w = write(fd, buf + i, n - i)) == -1)
                _exit(1);
    shutdown(fd, SHUT_RDWR); /* the client sees its end at once */
    close(fd);
    _exit(0);
}

int main(int argc, char *argv[])
{
    int listenfd;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    signal(SIGCHLD, SIG_IGN);
    listenfd = make_server(argv[1]);

    for (;;) {
        int connfd = accept(listenfd, NULL, NULL); /* BUG */

        if (connfd == -1) {
            warn("accept");
            poll(NULL, 0, 50);
            continue;
        }

        switch (fork()) {
        case 0:
            close(listenfd);
            child(connfd);
            break;
        case -1:
            warn("fork");
            close(connfd);
            break;
        }
    }
}
