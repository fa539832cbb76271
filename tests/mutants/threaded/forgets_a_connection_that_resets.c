/* Wrong: a thread whose read fails leaves by a way out of its own, on which the
 * connection is not counted.
 * Fails: shutdown
 * Line: 100
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static unsigned long conns, bytes;
static volatile sig_atomic_t stop;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int listen_on(const char *arg)
{
    char *end;
    long port = strtol(arg, &end, 10);
    int on = 1;
    if (*arg == 0 || *end || port < 0 || port > 65535) {
        fprintf(stderr, "%s: not a port\n", arg);
        exit(1);
    }
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        die("socket");
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(port)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (void *)&sa, sizeof sa) < 0)
        die("bind");
    if (listen(fd, 128) < 0)
        die("listen");
    return fd;
}

struct job {
    int fd;
};

static int send_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t k = send(fd, p, n, MSG_NOSIGNAL);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return -1;
        pthread_mutex_lock(&mu);
        bytes += k;
        pthread_mutex_unlock(&mu);
        p += k;
        n -= k;
    }
    return 0;
}

static void *worker(void *arg)
{
    struct job *j = arg;
    int fd = j->fd;
    free(j);
    char buf[4096];
    for (;;) {
        ssize_t n = read(fd, buf, sizeof(buf));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            close(fd);
            return NULL;
        }
        if (n <= 0)
            break;
        if (send_all(fd, buf, n) < 0)
            break;
    }
    pthread_mutex_lock(&mu);
    conns++;
    pthread_mutex_unlock(&mu);
    close(fd);
    return NULL;
}

static void report(void)
{
    pthread_mutex_lock(&mu);
    printf("served %lu connections, %lu bytes\n", conns, bytes); /* BUG */
    fflush(stdout);
    pthread_mutex_unlock(&mu);
}

static void on_stop(int s)
{
    (void)s;
    stop = 1;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        exit(2);
    }
    sigset_t both, old;
    sigemptyset(&both);
    sigaddset(&both, SIGINT);
    sigaddset(&both, SIGTERM);
    int lfd = listen_on(argv[1]);
    fcntl(lfd, F_SETFL, O_NONBLOCK);
    struct sigaction sa = {.sa_handler = on_stop};
    sigemptyset(&sa.sa_mask);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    pthread_sigmask(SIG_BLOCK, &both, &old);
    while (!stop) {
        struct pollfd p = {.fd = lfd, .events = POLLIN};
        if (ppoll(&p, 1, NULL, &old) < 0)
            continue;
        int fd = accept(lfd, NULL, NULL);
        if (fd < 0) {
            if (errno == EINTR || errno == EAGAIN || errno == ECONNABORTED ||
                errno == EPROTO)
                continue;
            poll(NULL, 0, 100);
            continue;
        }
        pthread_t t;
        struct job *j = malloc(sizeof *j);
        if (!j) {
            close(fd);
            continue;
        }
        j->fd = fd;
        int e;
        e = pthread_create(&t, NULL, worker, j);
        if (e) {
            fprintf(stderr, "pthread_create: %s\n", strerror(e));
            close(fd);
            free(j);
            continue;
        }
        pthread_detach(t);
    }
    close(lfd);
    report();
    return 0;
}
