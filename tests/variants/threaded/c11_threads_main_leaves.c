/* Right: C11 threads, mutex and condition; main starts an acceptor and a
 * signal thread and leaves by thrd_exit.
 * Quick: no */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <threads.h>
#include <time.h>
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

static mtx_t lock;
static unsigned long served, bytes;
static sigset_t stop;
static int listener;

static int serve(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char b[1111];

    for (;;) {
        ssize_t n = recv(fd, b, sizeof b, 0), at = 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        while (at < n) {
            ssize_t w = send(fd, b + at, (size_t)(n - at), MSG_NOSIGNAL);
            if (w < 0 && errno == EINTR)
                continue;
            if (w < 0)
                goto over;
            at += w;
            mtx_lock(&lock);
            bytes += (unsigned long)w;
            mtx_unlock(&lock);
        }
    }
over:
    mtx_lock(&lock);
    served++;
    mtx_unlock(&lock);
    close(fd);
    return 0;
}

static int accepts(void *arg)
{
    (void)arg;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        thrd_t t;
        if (fd < 0) {
            if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
                thrd_sleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
            continue;
        }
        if (thrd_create(&t, serve, (void *)(intptr_t)fd) == thrd_success) {
            thrd_detach(t);
        } else {
            fprintf(stderr, "no thread for a client\n");
            close(fd);
        }
    }
}

static int ends(void *arg)
{
    int sig;
    (void)arg;
    while (sigwait(&stop, &sig) != 0)
        ;
    mtx_lock(&lock);
    printf("served %lu connections, %lu bytes\n", served, bytes);
    fflush(stdout);
    _Exit(0);
}

int main(int argc, char **argv)
{
    thrd_t t;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    mtx_init(&lock, mtx_plain);
    listener = tcp_listen(argv[1]);
    if (listener < 0) {
        net_report(argv[0]);
        return 1;
    }
    if (thrd_create(&t, ends, NULL) != thrd_success ||
        thrd_create(&t, accepts, NULL) != thrd_success) {
        fprintf(stderr, "threaded: cannot start a thread\n");
        return 1;
    }
    thrd_exit(0);
}
