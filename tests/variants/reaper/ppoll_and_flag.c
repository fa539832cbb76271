/* Right: the handler sets a flag; ppoll alone lets SIGCHLD in.
 * Quick: no */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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

static int send_all(int sock, const char *data, size_t size)
{
    size_t sent = 0;

    while (sent < size) {
        ssize_t n = send(sock, data + sent, size - sent, MSG_NOSIGNAL);
        if (n >= 0)
            sent += (size_t)n;
        else if (errno != EINTR)
            return -1;
    }
    return 0;
}

static int serve(int sock)
{
    char data[2048];
    ssize_t n;

    do {
        n = recv(sock, data, sizeof(data), 0);
        if (n > 0 && send_all(sock, data, (size_t)n) == -1)
            return -1;
    } while (n > 0 || (n == -1 && errno == EINTR));
    return (int)n;
}

static volatile sig_atomic_t child_ended;

static void on_sigchld(int sig)
{
    (void)sig;
    child_ended = 1;
}

static void reap(void)
{
    siginfo_t info;

    child_ended = 0;
    do
        info.si_pid = 0;
    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) == 0 && info.si_pid);
}

static void start_child(int lfd, int connfd, const sigset_t *normal)
{
    pid_t pid = fork();

    if (pid == 0) {
        signal(SIGCHLD, SIG_DFL);
        sigprocmask(SIG_SETMASK, normal, NULL);
        close(lfd);
        _exit(serve(connfd) == 0 ? 0 : 1);
    }
    if (pid == -1)
        warn("fork");
    close(connfd);
}

int main(int argc, char **argv)
{
    struct timespec tenth = {.tv_nsec = 100000000};
    struct pollfd pfd = {.events = POLLIN};
    sigset_t chld, normal;
    int connfd;

    if (argc != 2) {
        fputs("usage: SERVER PORT\n", stderr);
        exit(2);
    }

    pfd.fd = make_server(argv[1]);
    fcntl(pfd.fd, F_SETFL, O_NONBLOCK);
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    sigprocmask(SIG_BLOCK, &chld, &normal);
    signal(SIGCHLD, on_sigchld);
    for (;;) {
        int ready = ppoll(&pfd, 1, NULL, &normal);

        if (child_ended)
            reap();
        if (ready != 1)
            continue;
        connfd = accept(pfd.fd, NULL, NULL);
        if (connfd != -1)
            start_child(pfd.fd, connfd, &normal);
        else if (errno != EAGAIN && errno != ECONNABORTED)
            ppoll(NULL, 0, &tenth, &normal); /* children end meanwhile */
    }
}
