/* Right: IPv4 by hand and everything in main.
 * Quick: no */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char *argv[])
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
        char buf[1000];
        ssize_t n, sent, w;
        int connfd = accept(listenfd, NULL, NULL);
        pid_t pid;

        if (connfd == -1) {
            /* A shortage may last: do not ask again at once. */
            if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
                poll(NULL, 0, 100);
            continue;
        }

        pid = fork();
        if (pid == -1)
            perror("fork");
        if (pid != 0) {
            close(connfd);
            continue;
        }
        /* No handler here, and so no EINTR. */
        close(listenfd);
        while ((n = read(connfd, buf, sizeof(buf))) > 0) {
            for (sent = 0; sent < n; sent += w) {
                w = write(connfd, buf + sent, n - sent);
                if (w == -1)
                    return 1;
            }
        }
        close(connfd);
        return n == 0 ? 0 : 1;
    }
}
