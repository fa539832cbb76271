/* Right: the handler writes to a pipe that the main loop polls. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
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

static int wake[2];

static void on_sigchld(int sig)
{
    int saved = errno;
    ssize_t n = write(wake[1], "", 1);

    (void)sig;
    (void)n; /* a full pipe will wake the loop as well */
    errno = saved;
}

static void reap(void)
{
    char bytes[64];

    while (read(wake[0], bytes, sizeof(bytes)) > 0)
        continue;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
}

static void new_client(int listenfd)
{
    int connfd = accept(listenfd, NULL, NULL);

    if (connfd == -1) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
            errno == ENOMEM)
            poll(NULL, 0, 100);
        return;
    }
    switch (fork()) {
    case -1:
        perror("fork");
        break;
    case 0:
        signal(SIGCHLD, SIG_DFL);
        close(wake[0]);
        close(wake[1]);
        close(listenfd);
        _exit(echo(connfd) == 0 ? 0 : 1);
    }
    close(connfd);
}

int main(int argc, char **argv)
{
    struct pollfd fds[2];

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    fds[0].fd = open_listener(argv[1]);
    if (pipe2(wake, O_NONBLOCK) == -1 ||
        fcntl(fds[0].fd, F_SETFL, O_NONBLOCK) == -1) {
        perror("pipe");
        return 1;
    }
    signal(SIGCHLD, on_sigchld);
    fds[1].fd = wake[0];
    fds[0].events = fds[1].events = POLLIN;
    for (;;) {
        if (poll(fds, 2, -1) == -1)
            continue; /* a child has ended: now the pipe is readable */
        if (fds[1].revents)
            reap();
        if (fds[0].revents)
            new_client(fds[0].fd);
    }
}
