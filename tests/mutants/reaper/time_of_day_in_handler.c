/* Wrong: the handler's log line has the time of day, and localtime() and
 * strftime() are not async-signal-safe.
 * Fails: handler
 * Line: 79
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
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
    if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
        poll(NULL, 0, 100);
}

static void gone(int sig)
{
    int e = errno;
    (void)sig;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    time_t now = time(NULL);
    char line[40];
    struct tm *tm = localtime(&now); /* BUG */
    size_t n = strftime(line, 40, "%H:%M: a child ended\n", tm);
    if (write(2, line, n) < 0)
        errno = 0;
    errno = e;
}

int main(int argc, char **argv)
{
    int s = open_port(argc, argv);
    struct sigaction sa = {.sa_handler = gone, .sa_flags = SA_RESTART};
    sigemptyset(&sa.sa_mask);
    sigaction(SIGCHLD, &sa, NULL);
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
