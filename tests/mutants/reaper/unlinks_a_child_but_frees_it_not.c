/* Wrong: keeps a list of its children, and takes an ended one out without
 * freeing it.
 * Fails: leak
 * Line: 111
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int make_server(const char *port)
{
    struct addrinfo *ai, hints = {.ai_family = AF_INET,
                                  .ai_socktype = SOCK_STREAM,
                                  .ai_flags = AI_PASSIVE};
    char *rest;
    long n = strtol(port, &rest, 10);
    int fd, rc, one = 1;

    if (*rest == '\0' && (n < 1 || n > 65535))
        errx(1, "port %s: %s", port, gai_strerror(EAI_SERVICE));
    if ((rc = getaddrinfo(NULL, port, &hints, &ai)) != 0)
        errx(1, "port %s: %s", port, gai_strerror(rc));
    if ((fd = socket(ai->ai_family, SOCK_STREAM, 0)) == -1)
        err(1, "socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == -1)
        err(1, "setsockopt");
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) == -1)
        err(1, "bind port %s", port);
    if (listen(fd, 100) == -1)
        err(1, "listen");
    freeaddrinfo(ai);
    return fd;
}

static int write_all(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0) {
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
            return -1;
        }
        if (write_all(connfd, buffer, (size_t)got) < 0)
            return -1;
    }
}

struct child {
    pid_t pid;
    struct child *next;
};

static struct child *children;

static void forget(pid_t pid)
{
    struct child **link = &children;

    while (*link != NULL && (*link)->pid != pid)
        link = &(*link)->next;
    if (*link != NULL)
        *link = (*link)->next;
}

static void reap(int sfd)
{
    struct signalfd_siginfo info;
    pid_t pid;

    while (read(sfd, &info, sizeof(info)) > 0)
        continue; /* one record may stand for many children */
    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
        forget(pid);
}

static void new_client(int lfd, int sfd, const sigset_t *mask)
{
    int connfd = accept(lfd, NULL, NULL);
    struct child *child;

    if (connfd == -1) {
        if (errno != EAGAIN && errno != ECONNABORTED && errno != EPROTO)
            poll(NULL, 0, 100);
        return;
    }
    if ((child = malloc(sizeof(*child))) == NULL) { /* BUG */
        warn("malloc");
        close(connfd);
        return;
    }
    switch (child->pid = fork()) {
    case -1:
        warn("fork");
        free(child);
        break;
    case 0:
        free(child);
        close(lfd);
        close(sfd);
        sigprocmask(SIG_UNBLOCK, mask, NULL);
        _exit(serve(connfd) == 0 ? 0 : 1);
    default:
        child->next = children;
        children = child;
    }
    close(connfd);
}

int main(int argc, char **argv)
{
    struct pollfd fds[2];
    sigset_t mask;

    if (argc != 2) {
        fputs("usage: SERVER PORT\n", stderr);
        exit(2);
    }

    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    fds[0].fd = make_server(argv[1]);
    fds[1].fd = signalfd(-1, &mask, SFD_NONBLOCK);
    if (fds[1].fd == -1 || fcntl(fds[0].fd, F_SETFL, O_NONBLOCK) == -1)
        err(1, "signalfd");
    fds[0].events = fds[1].events = POLLIN;
    for (;;) {
        if (poll(fds, 2, -1) < 1)
            continue;
        if (fds[1].revents)
            reap(fds[1].fd);
        if (fds[0].revents)
            new_client(fds[0].fd, fds[1].fd, &mask);
    }
}
