/* Wrong: the server cannot be started again at once on its port.
 * Fails: startup
 * Line: none (no setsockopt)
 */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A listening socket on all local addresses; no return without one. */
static int tcp_listen(const char *port)
{
    struct addrinfo hints, *list, *ai;
    char *end;
    long number = strtol(port, &end, 10);
    int fd = -1, rc = EAI_SERVICE, why = 0;

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

static void start_child(int lfd, int cfd)
{
    pid_t pid = fork();

    if (pid == 0) {
        close(lfd);
        do_echo(cfd);
        exit(0);
    }
    if (pid == -1)
        perror("fork");
}

int main(int argc, char **argv)
{
    int lfd;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    lfd = tcp_listen(argv[1]);
    for (;;) {
        int connfd = accept(lfd, NULL, NULL);

        if (connfd == -1) {
            /* A shortage may last: do not ask again at once. */
            if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
                poll(NULL, 0, 100);
            continue;
        }

        start_child(lfd, connfd);
        close(connfd);
    }
}
