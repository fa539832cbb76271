/* Right: each child drives its one non-blocking socket with epoll. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
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

/* Read when the buffer is empty, write when it is not. */
static int serve(int fd, int epfd)
{
    struct epoll_event ev = {.events = EPOLLIN};
    char buf[4096];
    size_t from = 0, to = 0;
    ssize_t n;

    if (epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev) == -1)
        return -1;
    for (;;) {
        if (epoll_wait(epfd, &ev, 1, -1) < 1)
            continue;
        if (from == to) {
            n = read(fd, buf, sizeof(buf));
            if (n == 0)
                return 0;
            from = 0;
            to = n > 0 ? (size_t)n : 0;
        } else {
            n = write(fd, buf + from, to - from);
            from += n > 0 ? (size_t)n : 0;
        }
        if (n == -1 && errno != EAGAIN && errno != EINTR)
            return -1;
        ev.events = from == to ? EPOLLIN : EPOLLOUT;
        if (epoll_ctl(epfd, EPOLL_CTL_MOD, fd, &ev) == -1)
            return -1;
    }
}

static int child(int fd)
{
    int epfd = epoll_create1(0);

    if (epfd == -1 || fcntl(fd, F_SETFL, O_NONBLOCK) == -1 ||
        serve(fd, epfd) == -1) {
        perror("connection");
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    int listenfd;
    pid_t pid;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    listenfd = open_listener(argv[1]);
    for (;;) {
        int connfd = accept(listenfd, NULL, NULL);

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
            _exit(child(connfd));
        }
        if (pid == -1)
            perror("fork");
        close(connfd);
    }
}
