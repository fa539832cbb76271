/* Right: signals only: SIGIO says that a client waits, SIGCHLD that a child
 * has ended; both are let in by sigsuspend.
 * Quick: no */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
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

static volatile sig_atomic_t children_ended, clients_wait = 1;

static void note(int sig, siginfo_t *info, void *context)
{
    (void)info, (void)context;
    if (sig == SIGCHLD)
        children_ended = 1;
    else
        clients_wait = 1;
}

static void handle(int sig)
{
    struct sigaction sa = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    sigfillset(&sa.sa_mask);
    if (sigaction(sig, &sa, NULL) < 0) {
        perror("sigaction");
        exit(1);
    }
}

int main(int argc, char **argv)
{
    sigset_t blocked, before;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    int l = tcp_listen(argv[1]);
    if (l < 0) {
        net_report(argv[0]);
        return 1;
    }
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGCHLD);
    sigaddset(&blocked, SIGIO);
    sigaddset(&blocked, SIGALRM);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    handle(SIGCHLD);
    handle(SIGIO);
    handle(SIGALRM);
    if (fcntl(l, F_SETOWN, getpid()) < 0 ||
        fcntl(l, F_SETFL, O_NONBLOCK | O_ASYNC) < 0) {
        perror("fcntl");
        return 1;
    }
    for (;;) {
        if (children_ended) {
            children_ended = 0;
            while (waitpid(-1, NULL, WNOHANG) > 0)
                ;
        }
        while (clients_wait) {
            int c = accept4(l, NULL, NULL, 0);
            if (c < 0) {
                if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO)
                    continue;
                clients_wait = 0;
                if (errno != EAGAIN) { /* a shortage: SIGIO won't come again */
                    struct itimerval in = {{0, 0}, {0, 200000}};
                    setitimer(ITIMER_REAL, &in, NULL);
                }
                break;
            }
            pid_t pid = fork();
            if (pid == 0) {
                close(l);
                signal(SIGCHLD, SIG_DFL);
                signal(SIGIO, SIG_DFL);
                signal(SIGALRM, SIG_DFL);
                sigprocmask(SIG_SETMASK, &before, NULL);
                signal(SIGPIPE, SIG_IGN);
                _exit(echo(c) < 0);
            }
            if (pid < 0)
                perror("fork");
            close(c);
        }
        if (!children_ended && !clients_wait)
            sigsuspend(&before);
    }
}
