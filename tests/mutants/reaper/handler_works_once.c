/* Wrong: SA_RESETHAND takes the handler away after the first signal.
 * Fails: zombie
 * Line: 108
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int try_family(int family, unsigned short port)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6,
                               .sin6_port = htons(port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    int yes = 1, no = 0, rc, saved, fd = socket(family, SOCK_STREAM, 0);

    if (fd == -1)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no)) == -1)
        rc = -1;
    else if (family == AF_INET6)
        rc = bind(fd, (struct sockaddr *)&six, sizeof(six));
    else
        rc = bind(fd, (struct sockaddr *)&four, sizeof(four));
    if (rc == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* One socket for IPv6 and IPv4, or for IPv4 alone where there is no IPv6. */
static int listen_on(const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);
    int fd = -1;

    errno = ERANGE;
    if (*end == '\0' && port > 0 && port < 65536) {
        fd = try_family(AF_INET6, (unsigned short)port);
        if (fd == -1)
            fd = try_family(AF_INET, (unsigned short)port);
    }
    if (fd == -1) {
        fprintf(stderr, "cannot serve port %s: %s\n", text, strerror(errno));
        exit(EXIT_FAILURE);
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

static void reap(int sig)
{
    int saved = errno;

    (void)sig;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
    errno = saved;
}

int main(int argc, char *argv[])
{
    struct sigaction sa;
    int listenfd;
    pid_t pid;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    listenfd = listen_on(argv[1]);
    memset(&sa, 0, sizeof(sa));
    sa.sa_handler = reap;
    sa.sa_flags = SA_RESTART | SA_RESETHAND;
    sigaction(SIGCHLD, &sa, NULL); /* BUG */

    for (;;) {
        int connfd = accept(listenfd, NULL, NULL);

        if (connfd == -1) {
            struct timeval pause_time = {.tv_usec = 100000};
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                errno == ENOMEM)
                select(0, NULL, NULL, NULL, &pause_time);
            continue;
        }

        pid = fork();
        if (pid == 0) {
            close(listenfd);
            _exit(echo(connfd) == 0 ? 0 : 1);
        }
        if (pid == -1)
            perror("fork");
        close(connfd);
    }
}
