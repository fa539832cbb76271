/* Wrong: a failed fork is tried again at once: the shortage eats a core.
 * Fails: fork
 * Line: 82
 */
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

static void do_echo(int conn)
{
    char buf[1024], *p;
    ssize_t left, n;

again:
    left = read(conn, buf, sizeof buf);
    if (left < 0 && errno == EINTR)
        goto again;
    if (left < 0)
        perror("read");
    if (left <= 0)
        return;
    for (p = buf; left > 0; p += n, left -= n) {
        while ((n = write(conn, p, left)) < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            perror("write");
            return;
        }
    }
    goto again;
}

int main(int argc, char *argv[])
{
    int srv;
    pid_t pid;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    srv = make_server(argv[1]);
    while (1) {
        int connfd = accept(srv, NULL, NULL);

        if (connfd == -1) {
            warn("accept");
            poll(NULL, 0, 50);
            continue;
        }

        while ((pid = fork()) == -1) /* BUG */
            continue;
        if (pid == 0) {
            close(srv);
            do_echo(connfd);
            _exit(0);
        }
        close(connfd);
    }
}
