/* Right: the child leaves a grandchild to init and is waited for at once.
 * Quick: no */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
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

/* 0 when the client has ended, -1 when the connection broke. */
static int echo(int fd)
{
    char buf[4096];
    ssize_t n, w, done;

    while ((n = read(fd, buf, sizeof(buf))) != 0) {
        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1)
            return -1;
        for (done = 0; done < n; done += w) {
            w = write(fd, buf + done, n - done);
            if (w == -1 && errno == EINTR)
                w = 0;
            else if (w == -1)
                return -1;
        }
    }
    return 0;
}

static void child(int listenfd, int connfd)
{
    pid_t pid;

    close(listenfd);
    pid = fork();
    if (pid == -1)
        perror("fork");
    if (pid != 0)
        _exit(pid == -1);
    _exit(echo(connfd) == 0 ? 0 : 1);
}

int main(int argc, char **argv)
{
    int listenfd;
    pid_t pid, got;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    listenfd = tcp_listen(argv[1]);
    for (;;) {
        int connfd = accept(listenfd, NULL, NULL);

        if (connfd == -1) {
            /* A shortage may last: do not ask again at once. */
            if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
                poll(NULL, 0, 100);
            continue;
        }

        pid = fork();
        if (pid == 0)
            child(listenfd, connfd);
        close(connfd);
        if (pid == -1) {
            perror("fork");
            continue;
        }
        do
            got = waitpid(pid, NULL, 0);
        while (got == -1 && errno == EINTR);
    }
}
