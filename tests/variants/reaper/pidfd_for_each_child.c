/* Right: a pidfd for each child, all in the poll set beside the listener. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *failed_call;

static void net_report(const char *program)
{
    fprintf(stderr, "%s: %s: %s\n", program, failed_call, strerror(errno));
}

/* All IPv4 addresses. */
static int tcp_listen(const char *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    int on = 1, fd;
    char *end;
    long number = strtol(port, &end, 10);

    errno = EINVAL;
    failed_call = port;
    if (end == port || *end || number < 0 || number > 65535)
        return -1;
    at.sin_port = htons((in_port_t)number);
    failed_call = "listen";
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
        listen(fd, SOMAXCONN) < 0) {
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

static int write_all(int fd, const char *from, size_t n)
{
    while (n > 0) {
        ssize_t w = write(fd, from, n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return -1;
        from += w;
        n -= (size_t)w;
    }
    return 0;
}

static int echo(int fd)
{
    char b[4096];
    ssize_t n;

    for (;;) {
        n = read(fd, b, sizeof(b));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return (int)n;
        if (write_all(fd, b, (size_t)n) < 0)
            return -1;
    }
}

#define MOST 2000
static struct pollfd set[MOST + 1];
static nfds_t count = 1;
static int unwatched; /* children without a pidfd: an old kernel has none */

static void bury(nfds_t i)
{
    siginfo_t info;

    if (waitid(P_PIDFD, (id_t)set[i].fd, &info, WEXITED | WNOHANG) < 0 &&
        errno == EINTR)
        return;
    close(set[i].fd);
    set[i] = set[--count];
}

static void serve(int l, int fd)
{
    pid_t pid = fork();
    if (pid < 0) {
        perror("fork");
        return;
    }
    if (pid == 0) {
        close(l);
        for (nfds_t i = 1; i < count; i++)
            close(set[i].fd);
        signal(SIGPIPE, SIG_IGN);
        _exit(echo(fd) < 0);
    }
    int pidfd = pidfd_open(pid, 0);
    if (pidfd < 0 && errno == ENOSYS) {
        unwatched++;
        return;
    }
    if (pidfd < 0) { /* can't be watched: then it must not be */
        perror("pidfd_open");
        kill(pid, SIGTERM);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
        return;
    }
    fcntl(pidfd, F_SETFD, FD_CLOEXEC);
    set[count++] = (struct pollfd){pidfd, POLLIN, 0};
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    int l = tcp_listen(argv[1]);
    if (l < 0) {
        net_report(argv[0]);
        return 1;
    }
    fcntl(l, F_SETFL, O_NONBLOCK);
    set[0] = (struct pollfd){l, POLLIN, 0};
    for (;;) {
        set[0].fd = count <= MOST ? l : -1;
        int n = poll(set, count, unwatched > 0 ? 100 : -1);
        while (unwatched > 0 && waitpid(-1, NULL, WNOHANG) > 0)
            unwatched--;
        if (n < 0) {
            if (errno != EINTR)
                poll(NULL, 0, 100);
            continue;
        }
        for (nfds_t i = count - 1; i > 0; i--)
            if (set[i].revents)
                bury(i);
        if (!set[0].revents)
            continue;
        int fd = accept(l, NULL, NULL);
        if (fd >= 0) {
            /* Linux: a new socket is blocking again */
            serve(l, fd);
            close(fd);
        } else if (errno != EAGAIN && errno != EINTR && errno != EPROTO &&
                   errno != ECONNABORTED) {
            perror("accept");
            poll(NULL, 0, 100);
        }
    }
}
