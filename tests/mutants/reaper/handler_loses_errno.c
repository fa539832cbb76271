/* Wrong: the handler leaves ECHILD in errno, which accept then reports.
 * Fails: handler
 * Line: 91
 */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
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

static void reap(int sig)
{
    (void)sig;
    while (waitpid(-1, NULL, WNOHANG) > 0) /* BUG */
        continue;
}

/* A connection; -1 when there is none to be had just now. */
static int next_connection(int listenfd)
{
    int connfd = accept(listenfd, NULL, NULL);

    if (connfd != -1)
        return connfd;
    switch (errno) {
    case EINTR:
    case EPROTO:
    case ECONNABORTED:
        return -1;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        poll(NULL, 0, 100);
        return -1;
    default:
        perror("accept");
        exit(1);
    }
}

int main(int argc, char **argv)
{
    struct sigaction sa = {.sa_handler = reap};
    int listenfd, connfd;
    pid_t pid;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    sigaction(SIGCHLD, &sa, NULL);
    listenfd = tcp_listen(argv[1]);
    for (;;) {
        if ((connfd = next_connection(listenfd)) == -1)
            continue;

        pid = fork();
        if (pid == 0) {
            close(listenfd);
            _exit(serve(connfd) == 0 ? 0 : 1);
        }
        if (pid == -1)
            perror("fork");
        close(connfd);
    }
}
