/* Wrong: a half-closed connection is closed before all of it is read.
 * Fails: echo
 * Line: 60
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

/* A listening socket on all local addresses; no return without one. */
static int tcp_listen(const char *port)
{
    struct addrinfo hints, *list, *ai;
    char *end;
    long number = strtol(port, &end, 10);
    int fd = -1, on = 1, rc = EAI_SERVICE, why = 0;

    memset(&hints, 0, sizeof(hints));
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    if (*end != '\0' || (number > 0 && number < 65536))
        rc = getaddrinfo(NULL, port, &hints, &list);
    if (rc != 0) {
        fprintf(stderr, "port %s: %s\n", port, gai_strerror(rc));
        exit(1);
    }
    for (ai = list; ai != NULL; ai = ai->ai_next) {
        fd = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
        if (fd == -1) {
            why = errno;
            continue;
        }
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 &&
            listen(fd, SOMAXCONN) == 0)
            break;
        why = errno;
        close(fd);
        fd = -1;
    }
    freeaddrinfo(list);
    if (fd == -1) {
        fprintf(stderr, "cannot listen on port %s: %s\n", port, strerror(why));
        exit(1);
    }
    return fd;
}

/* 1: there is something to read, 0: the client has ended. */
static int has_input(int fd)
{
    struct pollfd pfd = {.fd = fd, .events = POLLIN | POLLRDHUP};

    if (poll(&pfd, 1, -1) == -1) /* BUG */
        return errno == EINTR ? has_input(fd) : 0;
    return !(pfd.revents & POLLRDHUP);
}

static void child(int fd)
{
    char buf[256];
    ssize_t n, w, i;

    while (has_input(fd)) {
        n = read(fd, buf, sizeof(buf));
        if (n <= 0)
            break;
        for (i = 0; i < n; i += w)
            if ((w = write(fd, buf + i, n - i)) == -1)
                _exit(1);
    }
    close(fd);
    _exit(0);
}

int main(int argc, char **argv)
{
    int listenfd;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    listenfd = tcp_listen(argv[1]);
    while (1) {
        int connfd = accept(listenfd, NULL, NULL);

        if (connfd == -1) {
            struct timeval pause_time = {.tv_usec = 100000};
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                errno == ENOMEM)
                select(0, NULL, NULL, NULL, &pause_time);
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
