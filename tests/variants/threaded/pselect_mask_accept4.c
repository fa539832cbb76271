/* Right: the signals are let in by pselect() only; accept4() and writev().
 * Quick: no */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static long long closed_connections, written_bytes;
static volatile sig_atomic_t got_signal;

static void note_signal(int sig)
{
    got_signal = sig;
}

static bool send_back(int fd, char *from, size_t n)
{
    while (n > 0) {
        struct iovec v = {.iov_base = from, .iov_len = n};
        ssize_t w = writev(fd, &v, 1);
        if (w < 0) {
            if (errno == EINTR)
                continue;
            return false;
        }
        pthread_mutex_lock(&m);
        written_bytes += w;
        pthread_mutex_unlock(&m);
        from += w;
        n -= (size_t)w;
    }
    return true;
}

static void *session(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char buf[3000];
    bool more = true;
    while (more) {
        ssize_t n = recvfrom(fd, buf, sizeof buf, 0, NULL, NULL);
        if (n < 0 && errno == EINTR)
            continue;
        more = n > 0 && send_back(fd, buf, (size_t)n);
    }
    close(fd);
    pthread_mutex_lock(&m);
    closed_connections++;
    pthread_mutex_unlock(&m);
    return NULL;
}

static int prepare(const char *arg)
{
    char *end;
    int on = 1;
    long port = strtol(arg, &end, 10);
    if (end == arg || *end != '\0' || port < 1 || port > 65535) {
        errno = EINVAL;
        return -1;
    }
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((in_port_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, (struct sockaddr *)&a, sizeof a) < 0 ||
        listen(fd, SOMAXCONN) < 0)
        return -1;
    return fd;
}

static void take_one(int listener, const sigset_t *open)
{
    pthread_t t;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) {
        struct timespec pause = {0, 100000000};
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED &&
            errno != EPROTO)
            pselect(0, NULL, NULL, NULL, &pause, open);
        return;
    }
    int rc = pthread_create(&t, NULL, session, (void *)(intptr_t)fd);
    if (rc != 0) {
        fprintf(stderr, "no thread: %s\n", strerror(rc));
        close(fd);
        return;
    }
    pthread_detach(t);
}

int main(int argc, char **argv)
{
    sigset_t both, open;
    struct sigaction sa = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    sigemptyset(&both);
    sigaddset(&both, SIGINT);
    sigaddset(&both, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &both, &open);
    sigemptyset(&sa.sa_mask);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    signal(SIGPIPE, SIG_IGN);
    int listener = prepare(argv[1]);
    if (listener < 0) {
        fprintf(stderr, "listen on %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    while (!got_signal) {
        fd_set in;
        FD_ZERO(&in);
        FD_SET(listener, &in);
        if (pselect(listener + 1, &in, NULL, NULL, NULL, &open) > 0)
            take_one(listener, &open);
    }
    pthread_mutex_lock(&m);
    printf("served %lld connections, %lld bytes\n", closed_connections,
           written_bytes);
    pthread_mutex_unlock(&m);
    fflush(stdout);
    return EXIT_SUCCESS;
}
