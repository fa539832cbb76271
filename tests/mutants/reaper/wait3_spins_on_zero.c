/* Wrong: wait3 answers 0 while a child lives, and the handler asks on.
 * Fails: zombie
 * Also: reset
 * Line: 92
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
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

static void do_echo(int conn)
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

static void reaper(int sig)
{
    int status, saved = errno;

    (void)sig;
    while (wait3(&status, WNOHANG, NULL) >= 0) /* BUG */
        continue;
    errno = saved;
}

int main(int argc, char *argv[])
{
    int listenfd;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    signal(SIGCHLD, reaper);
    listenfd = listen_on(argv[1]);

    for (;;) {
        int connfd = accept(listenfd, NULL, NULL);

        if (connfd == -1) {
            /* A shortage may last: do not ask again at once. */
            if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
                poll(NULL, 0, 100);
            continue;
        }

        if (fork() == 0) {
            signal(SIGCHLD, SIG_DFL);
            close(listenfd);
            do_echo(connfd);
            _exit(0);
        }
        close(connfd);
    }
}
