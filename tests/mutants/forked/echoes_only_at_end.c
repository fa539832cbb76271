/* Wrong: nothing comes back before the client has said all it has to say.
 * Fails: echo
 * Line: 54
 */
#include <err.h>
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

/* Reads until the client's end, then sends all of it back. */
static int serve(int fd)
{
    size_t len = 0, room = 0, sent = 0;
    char *all = NULL, *more;
    ssize_t n;

    do {
        if (len == room) {
            room = room ? 2 * room : 4096;
            if ((more = realloc(all, room)) == NULL) {
                free(all);
                return 1;
            }
            all = more;
        }
        n = read(fd, all + len, room - len); /* BUG */
        if (n > 0)
            len += n;
    } while (n > 0);
    while (n == 0 && sent < len) {
        ssize_t w = write(fd, all + sent, len - sent);
        if (w == -1)
            n = -1;
        else
            sent += w;
    }
    free(all);
    return n == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    int listenfd;
    pid_t pid;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    listenfd = make_server(argv[1]);
    while (1) {
        int connfd = accept(listenfd, NULL, NULL);

        if (connfd == -1) {
            warn("accept");
            poll(NULL, 0, 50);
            continue;
        }

        if ((pid = fork()) == 0) {
            close(listenfd);
            _exit(serve(connfd));
        }
        if (pid == -1)
            warn("fork");
        close(connfd);
    }
}
