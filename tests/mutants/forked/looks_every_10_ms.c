/* Wrong: asks a non-blocking accept() every 10 ms, whether anybody comes.
 * Fails: idle
 * Line: 65
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int open_port(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        exit(2);
    }
    char *end;
    long port = strtol(argv[1], &end, 10);
    if (end == argv[1] || *end || port < 1 || port > 65535) {
        fprintf(stderr, "port %s: %s\n", argv[1], strerror(EINVAL));
        exit(1);
    }
    int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (s < 0 ||
        setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
        bind(s, (struct sockaddr *)&a, sizeof a) < 0 || listen(s, 128) < 0) {
        fprintf(stderr, "cannot listen: %s\n", strerror(errno));
        exit(1);
    }
    return s;
}

/* 0: the client ended; -1: broken */
static int echo_all(int c)
{
    char b[3000];
    for (;;) {
        ssize_t n = recv(c, b, sizeof b, 0);
        if (n == 0)
            return 0;
        if (n < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        for (ssize_t i = 0; i < n;) {
            ssize_t m = send(c, b + i, n - i, MSG_NOSIGNAL);
            if (m < 0 && errno != EINTR)
                return -1;
            if (m > 0)
                i += m;
        }
    }
}

static void rest(void)
{
    if (errno == EAGAIN) {
        usleep(10000); /* BUG */
        return;
    }
    if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
        poll(NULL, 0, 100);
}

int main(int argc, char **argv)
{
    int s = open_port(argc, argv);
    fcntl(s, F_SETFL, O_NONBLOCK);
    for (;;) {
        int c = accept(s, NULL, NULL);
        if (c < 0) {
            rest();
            continue;
        }
        pid_t pid = fork();
        if (pid == 0) {
            close(s);
            echo_all(c);
            _exit(0);
        }
        if (pid < 0)
            perror("fork");
        close(c);
    }
}
