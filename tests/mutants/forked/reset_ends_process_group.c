/* Wrong: a client that resets takes the server and all children along.
 * Fails: reset
 * Line: 18
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void quit(const char *what)
{
    perror(what);
    kill(0, SIGTERM); /* BUG */
    _exit(1);
}

static void child(int fd)
{
    char buf[4096], *p;
    ssize_t n, w;

    while ((n = recv(fd, buf, sizeof(buf), 0)) != 0) {
        if (n == -1)
            quit("recv");
        for (p = buf; n > 0; p += w, n -= w)
            if ((w = send(fd, p, n, MSG_NOSIGNAL)) == -1)
                quit("send");
    }
    _exit(0);
}

int main(int argc, char **argv)
{
    struct sockaddr_in addr = {.sin_family = AF_INET};
    char *end;
    long port;
    int listenfd, on = 1;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    port = strtol(argv[1], &end, 10);
    if (*end != '\0' || port < 1 || port > 65535) {
        fprintf(stderr, "%s: %s\n", argv[1], strerror(ERANGE));
        return 1;
    }
    addr.sin_port = htons((unsigned short)port);
    addr.sin_addr.s_addr = htonl(INADDR_ANY);
    listenfd = socket(AF_INET, SOCK_STREAM, 0);
    if (listenfd == -1) {
        perror("socket");
        return 1;
    }
    setsockopt(listenfd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(listenfd, (struct sockaddr *)&addr, sizeof(addr)) == -1 ||
        listen(listenfd, 64) == -1) {
        perror(argv[1]);
        return 1;
    }

    for (;;) {
        int connfd = accept(listenfd, NULL, NULL);
        pid_t pid;

        if (connfd < 0) {
            struct timespec tenth = {0, 100000000};
            switch (errno) {
            case EINTR:
            case ECONNABORTED:
            case EPROTO:
                break; /* that client went away: next, please */
            default:
                perror("accept");
                nanosleep(&tenth, NULL);
            }
            continue;
        }

        pid = fork();
        if (pid == 0) {
            close(listenfd);
            child(connfd);
        }
        if (pid == -1)
            perror("fork");
        close(connfd);
    }
}
