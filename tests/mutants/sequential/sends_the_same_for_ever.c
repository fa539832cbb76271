/* Wrong: its loop forgets to count what it has sent, and sends the same again
 * and again, for ever.
 * Fails: echo
 * Line: 24
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAXLINE 4096

/* As the textbook has it. */
static ssize_t writen(int fd, const void *vptr, size_t n)
{
    const char *ptr = vptr;
    size_t nleft;
    for (nleft = n; nleft > 0;) {
        ssize_t nwritten = write(fd, ptr, nleft); /* BUG */
        if (nwritten < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
    }
    return (ssize_t)n;
}

static void str_echo(int sockfd)
{
    char line[MAXLINE];
    ssize_t n;

    for (;;) {
        n = read(sockfd, line, sizeof(line));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || writen(sockfd, line, (size_t)n) < 0)
            break;
    }
    if (n < 0)
        perror("str_echo");
}

int main(int argc, char **argv)
{
    struct sockaddr_in servaddr;
    int listenfd, connfd, on = 1;
    char *end;
    long port;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        exit(2);
    }
    port = strtol(argv[1], &end, 10);
    if (*end != '\0' || port < 1 || port > 65535) {
        fprintf(stderr, "%s is no port\n", argv[1]);
        exit(1);
    }
    bzero(&servaddr, sizeof(servaddr));
    servaddr.sin_family = AF_INET;
    servaddr.sin_addr.s_addr = htonl(INADDR_ANY);
    servaddr.sin_port = htons((unsigned short)port);
    if ((listenfd = socket(AF_INET, SOCK_STREAM, 0)) < 0 ||
        setsockopt(listenfd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(listenfd, (struct sockaddr *)&servaddr, sizeof(servaddr)) < 0 ||
        listen(listenfd, 128) < 0) {
        fprintf(stderr, "port %ld: %s\n", port, strerror(errno));
        exit(1);
    }
    for (;;) {
        if ((connfd = accept(listenfd, NULL, NULL)) < 0) {
            if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO) {
                struct timespec rest = {0, 100000000};

                perror("accept");
                nanosleep(&rest, NULL);
            }
            continue;
        }
        str_echo(connfd);
        close(connfd);
    }
}
