/* Wrong: each client gets a process of its own where the exercise asks for a
 * thread.
 * Fails: concurrency
 * Line: 72
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static struct totals {
    atomic_ulong connections, bytes;
} * totals; /* shared with the children */

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int listen_on(const char *arg)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    char *end;
    int fd, on = 1;
    long port = strtol(arg, &end, 10);
    if (end == arg || *end || port < 1 || port > 65535) {
        errno = EINVAL;
        die(arg);
    }
    a.sin_port = htons((in_port_t)port);
    if ((fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) < 0)
        die("socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
        die("setsockopt");
    if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0)
        die("bind");
    if (listen(fd, SOMAXCONN) < 0)
        die("listen");
    return fd;
}

static void echo(int fd)
{
    char buf[4096];
    ssize_t n, w, at;
    while ((n = recv(fd, buf, sizeof buf, 0)) != 0) {
        if (n < 0 && errno != EINTR)
            return;
        for (at = 0; at < n; at += w) {
            w = send(fd, buf + at, (size_t)(n - at), MSG_NOSIGNAL);
            if (w < 0 && errno != EINTR)
                return;
            if (w < 0)
                w = 0;
            atomic_fetch_add(&totals->bytes, (unsigned long)w);
        }
    }
}

static void serve(int listener, int fd, pid_t parent)
{
    switch (fork()) { /* BUG */
    case -1:
        perror("fork");
        break;
    case 0:
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* ends with the server */
        if (getppid() != parent)
            _exit(0);
        close(listener);
        echo(fd);
        close(fd);
        atomic_fetch_add(&totals->connections, 1);
        _exit(0);
    }
    close(fd);
}

static volatile sig_atomic_t stop;

static void on_stop(int sig)
{
    (void)sig;
    stop = 1;
}

int main(int argc, char **argv)
{
    struct sigaction sa = {.sa_handler = on_stop};
    struct timespec tenth = {.tv_nsec = 100000000};
    sigset_t open, both;
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    totals = mmap(NULL, sizeof *totals, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (totals == MAP_FAILED)
        die("mmap");
    sigemptyset(&both);
    sigaddset(&both, SIGINT);
    sigaddset(&both, SIGTERM);
    sigprocmask(SIG_BLOCK, &both, &open);
    sigemptyset(&sa.sa_mask);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    signal(SIGCHLD, SIG_IGN);
    struct pollfd p = {.fd = listen_on(argv[1]), .events = POLLIN};
    while (!stop) {
        if (ppoll(&p, 1, NULL, &open) <= 0)
            continue;
        int fd = accept(p.fd, NULL, NULL);
        if (fd >= 0)
            serve(p.fd, fd, getpid());
        else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                 errno == ENOMEM)
            ppoll(NULL, 0, &tenth, &open);
    }
    printf("served %lu connections, %lu bytes\n",
           atomic_load(&totals->connections), atomic_load(&totals->bytes));
    return 0;
}
