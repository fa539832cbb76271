/* Wrong: a failed fork ends the server instead of costing one client.
 * Fails: fork
 * Line: 96
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int open_listener(const char *port)
{
    struct sockaddr_in addr;
    char *end;
    long number = strtol(port, &end, 10);
    int fd, on = 1;

    if (*end != '\0' || number < 1 || number > 65535) {
        fprintf(stderr, "port %s: %s\n", port, strerror(EINVAL));
        exit(1);
    }
    memset(&addr, 0, sizeof(addr));
    addr.sin_family = AF_INET;
    addr.sin_addr.s_addr = htonl(INADDR_ANY);
    addr.sin_port = htons((unsigned short)number);

    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd == -1) {
        perror("socket");
        exit(1);
    }
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1)
        perror("SO_REUSEADDR");
    if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == -1) {
        perror("bind");
        exit(1);
    }
    if (listen(fd, 128) == -1) {
        perror("listen");
        exit(1);
    }
    return fd;
}

static void talk(int conn)
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
    int listenfd;
    pid_t pid;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    signal(SIGCHLD, SIG_IGN);
    listenfd = open_listener(argv[1]);

    for (;;) {
        int connfd = accept(listenfd, NULL, NULL);

        if (connfd == -1) {
            /* A shortage may last: do not ask again at once. */
            if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
                poll(NULL, 0, 100);
            continue;
        }

        if ((pid = fork()) < 0) { /* BUG */
            perror("fork");
            return EXIT_FAILURE;
        }
        if (pid > 0) {
            close(connfd);
            continue;
        }
        close(listenfd);
        talk(connfd);
        close(connfd);
        return EXIT_SUCCESS;
    }
}
