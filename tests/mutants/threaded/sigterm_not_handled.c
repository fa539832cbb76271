/* Wrong: only SIGINT is waited for; SIGTERM kills the server without a line.
 * Fails: shutdown
 * Line: none (SIGTERM is not in the set)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static uint64_t conns_done, bytes_done;

static void add(uint64_t conns, uint64_t bytes)
{
    pthread_mutex_lock(&guard);
    conns_done += conns;
    bytes_done += bytes;
    pthread_mutex_unlock(&guard);
}

/* After a call that failed: 1, once it is worth another try; 0: broken. */
static int retry(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        poll(&p, 1, -1);
    else if (errno != EINTR)
        return 0;
    return 1;
}

static void echo(int fd)
{
    char buf[4096];
    for (;;) {
        ssize_t len = recv(fd, buf, sizeof buf, 0);
        if (len < 0 && retry(fd, POLLIN))
            continue;
        if (len <= 0)
            return;
        for (ssize_t sent = 0; sent < len;) {
            ssize_t n =
                send(fd, buf + sent, (size_t)(len - sent), MSG_NOSIGNAL);
            if (n < 0 && retry(fd, POLLOUT))
                continue;
            if (n < 0)
                return;
            add(0, (uint64_t)n);
            sent += n;
        }
    }
}

static void *run(void *arg)
{
    int fd = (int)(intptr_t)arg;
    echo(fd);
    close(fd);
    add(1, 0);
    return NULL;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int listener_on(const char *arg)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    char *end;
    int on = 1, fd;
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

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    sigset_t stops;
    sigemptyset(&stops);
    sigaddset(&stops, SIGINT);
    sigprocmask(SIG_BLOCK, &stops, NULL);
    struct pollfd p[2] = {{.events = POLLIN}, {.events = POLLIN}};
    p[0].fd = signalfd(-1, &stops, 0);
    if (p[0].fd < 0)
        die("signalfd");
    p[1].fd = listener_on(argv[1]);
    for (;;) {
        pthread_t thread;
        if (poll(p, 2, -1) < 0)
            continue;
        if (p[0].revents != 0)
            break;
        int fd = accept4(p[1].fd, NULL, NULL, SOCK_NONBLOCK);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                errno == ENOMEM)
                poll(p, 1, 100); /* still open to the signals */
            continue;
        }
        if (pthread_create(&thread, NULL, run, (void *)(intptr_t)fd) == 0)
            pthread_detach(thread);
        else
            close(fd);
    }
    pthread_mutex_lock(&guard);
    printf("served %ju connections, %ju bytes\n", (uintmax_t)conns_done,
           (uintmax_t)bytes_done);
    fflush(stdout);
    pthread_mutex_unlock(&guard);
    return 0;
}
