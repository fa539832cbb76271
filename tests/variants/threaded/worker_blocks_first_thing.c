/* Right: each thread blocks the signals itself, first of all; self-pipe.
 * Quick: no */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int wake[2];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long conns, bytes;

static void on_signal(int sig)
{
    int saved = errno;
    ssize_t n = write(wake[1], "!", 1);
    (void)n; /* a full pipe wakes main all the same */
    (void)sig;
    errno = saved;
}

static void block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static int echo_back(int fd, const char *buf, size_t len)
{
    size_t at = 0;
    while (at < len) {
        ssize_t n = send(fd, buf + at, len - at, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        at += (size_t)n;
        pthread_mutex_lock(&lock);
        bytes += (unsigned long)n;
        pthread_mutex_unlock(&lock);
    }
    return 0;
}

static void *serve(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char buf[4096];
    ssize_t n;

    block_signals();
    for (;;) {
        n = recv(fd, buf, sizeof buf, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || echo_back(fd, buf, (size_t)n) < 0)
            break;
    }
    close(fd);
    pthread_mutex_lock(&lock);
    conns++;
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void check(int result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "%s: %s\n", what, strerror(errno));
        exit(1);
    }
}

static int listen_port(const char *arg)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    char *end;
    int on = 1, fd;
    long port = strtol(arg, &end, 10);
    errno = EINVAL;
    check(end == arg || *end || port < 1 || port > 65535 ? -1 : 0, arg);
    a.sin_port = htons((in_port_t)port);
    check(fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), "socket");
    check(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "reuse");
    check(bind(fd, (struct sockaddr *)&a, sizeof a), "bind");
    check(listen(fd, SOMAXCONN), "listen");
    return fd;
}

int main(int argc, char **argv)
{
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct pollfd p[2] = {{.events = POLLIN}, {.events = POLLIN}};
    pthread_t t;
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    check(pipe2(wake, O_NONBLOCK | O_CLOEXEC), "pipe");
    sigemptyset(&sa.sa_mask);
    check(sigaction(SIGINT, &sa, NULL), "sigaction");
    check(sigaction(SIGTERM, &sa, NULL), "sigaction");
    p[0].fd = wake[0];
    p[1].fd = listen_port(argv[1]);
    for (;;) {
        if (poll(p, 2, -1) < 0)
            continue;
        if (p[0].revents)
            break;
        int fd = accept(p[1].fd, NULL, NULL);
        if (fd < 0) {
            if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED &&
                errno != EPROTO)
                poll(p, 1, 100);
            continue;
        }
        if (pthread_create(&t, NULL, serve, (void *)(intptr_t)fd) != 0) {
            close(fd);
            continue;
        }
        pthread_detach(t);
    }
    close(p[1].fd);
    pthread_mutex_lock(&lock);
    printf("served %lu connections, %lu bytes\n", conns, bytes);
    pthread_mutex_unlock(&lock);
    fflush(stdout);
    return 0;
}
