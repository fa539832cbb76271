/* Wrong: each child keeps the listening socket open while it serves.
 * Fails: descriptors
 * Line: none (no close in the child)
 */
#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int passive(const char *port)
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
    char line[512];
    ssize_t n, off, w;

    while ((n = recv(fd, line, sizeof(line), 0)) > 0)
        for (off = 0; off < n; off += w)
            if ((w = send(fd, line + off, n - off, 0)) == -1)
                _exit(1);
    close(fd);
    _exit(n == 0 ? 0 : 1);
}

int main(int argc, char **argv)
{
    int lfd, cfd;

    if (argc != 2) {
        fputs("usage: SERVER PORT\n", stderr);
        exit(2);
    }

    lfd = passive(argv[1]);
    while (1) {
        if ((cfd = accept(lfd, NULL, NULL)) == -1) {
            if (errno != ECONNABORTED && errno != EPROTO) {
                warn("accept");
                poll(NULL, 0, 200);
            }
            continue;
        }
        switch (fork()) {
        case 0:
            child(cfd);
            break;
        case -1:
            warn("fork");
            break;
        }
        close(cfd);
    }
}
