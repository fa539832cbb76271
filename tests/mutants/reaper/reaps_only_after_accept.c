/* Wrong: zombies stay until the next client comes.
 * Fails: zombie
 * Line: 83
 */
#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
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

static int send_all(int sock, const char *data, size_t size)
{
    size_t sent = 0;

    while (sent < size) {
        ssize_t n = send(sock, data + sent, size - sent, MSG_NOSIGNAL);
        if (n >= 0)
            sent += (size_t)n;
        else if (errno != EINTR)
            return -1;
    }
    return 0;
}

static int echo_client(int sock)
{
    char data[2048];
    ssize_t n;

    do {
        n = recv(sock, data, sizeof(data), 0);
        if (n > 0 && send_all(sock, data, (size_t)n) == -1)
            return -1;
    } while (n > 0 || (n == -1 && errno == EINTR));
    return (int)n;
}

int main(int argc, char **argv)
{
    int lfd, cfd;

    if (argc != 2) {
        fputs("usage: SERVER PORT\n", stderr);
        exit(2);
    }

    lfd = passive(argv[1]);
    for (;;) {
        cfd = accept(lfd, NULL, NULL);
        if (cfd == -1) {
            warn("accept");
            poll(NULL, 0, 100);
        }
        while (waitpid(-1, NULL, WNOHANG) > 0) /* BUG */
            continue;
        if (cfd == -1)
            continue;
        switch (fork()) {
        case -1:
            warn("fork");
            break;
        case 0:
            close(lfd);
            exit(echo_client(cfd) == 0 ? 0 : 1);
        }
        close(cfd);
    }
}
