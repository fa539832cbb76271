/* Right: SIGCHLD is blocked but while pselect waits for a client. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int bound(const char *port)
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

static void wake_up(int sig)
{
    (void)sig; /* it is enough that pselect ends */
}

int main(int argc, char **argv)
{
    struct sigaction sa = {.sa_handler = wake_up};
    sigset_t blocked, before;
    fd_set readable;
    int lfd, connfd, ready;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    lfd = bound(argv[1]);
    fcntl(lfd, F_SETFL, O_NONBLOCK);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGCHLD);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    sigaction(SIGCHLD, &sa, NULL);
    for (;;) {
        FD_ZERO(&readable);
        FD_SET(lfd, &readable);
        ready = pselect(lfd + 1, &readable, NULL, NULL, NULL, &before);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
        if (ready < 1)
            continue;
        connfd = accept(lfd, NULL, NULL);
        if (connfd == -1) {
            if (errno != EAGAIN && errno != ECONNABORTED && errno != EPROTO)
                poll(NULL, 0, 100);
            continue;
        }
        switch (fork()) {
        case -1:
            perror("fork");
            break;
        case 0:
            signal(SIGCHLD, SIG_DFL);
            sigprocmask(SIG_SETMASK, &before, NULL);
            close(lfd);
            _exit(serve(connfd) == 0 ? 0 : 1);
        }
        close(connfd);
    }
}
