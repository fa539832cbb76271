/* Wrong: the wrapper of read() ends the process on any error; a client that
 * resets its connection ends the server.
 * Fails: reset
 * Line: 73
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static atomic_ulong connections;
static atomic_ullong bytes;

static void app_error(const char *msg, int error)
{
    fprintf(stderr, "%s error: %s\n", msg, strerror(error));
    exit(1);
}

static int Socket(int family, int type)
{
    int fd = socket(family, type, 0);
    if (fd < 0)
        app_error("socket", errno);
    return fd;
}

static void Reuse(int fd)
{
    int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
        app_error("setsockopt", errno);
}

static void Bind(int fd, uint16_t port)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (bind(fd, (struct sockaddr *)&any, sizeof any) < 0)
        app_error("bind", errno);
}

static void Listen(int fd, int backlog)
{
    if (listen(fd, backlog) < 0)
        app_error("listen", errno);
}

/* Comes back with a connection only: no failure of accept() is final. */
static int Accept(int listener)
{
    int fd;
    while ((fd = accept(listener, NULL, NULL)) < 0)
        if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
            poll(NULL, 0, 100);
    return fd;
}

static ssize_t Read(int fd, void *buf, size_t size)
{
    ssize_t n;
    do
        n = read(fd, buf, size);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        app_error("read", errno); /* BUG */
    return n;
}

static int Writen(int fd, const char *p, size_t left)
{
    while (left > 0) {
        ssize_t n = write(fd, p, left);
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            atomic_fetch_add(&bytes, (unsigned long long)n);
            p += n;
            left -= (size_t)n;
        }
    }
    return 0;
}

static void *serve_client(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char buf[1024];
    ssize_t n;
    while ((n = Read(fd, buf, sizeof buf)) > 0)
        if (Writen(fd, buf, (size_t)n) < 0)
            break;
    close(fd);
    atomic_fetch_add(&connections, 1);
    return NULL;
}

static void *wait_for_signal(void *arg)
{
    int sig;
    while (sigwait(arg, &sig) != 0)
        ;
    printf("served %lu connections, %llu bytes\n", atomic_load(&connections),
           atomic_load(&bytes));
    exit(0); /* flushes stdout */
}

int main(int argc, char **argv)
{
    static sigset_t stops;
    pthread_t thread;
    char *end;
    int rc;
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        exit(2);
    }
    unsigned long port = strtoul(argv[1], &end, 10);
    if (end == argv[1] || *end != '\0' || port == 0 || port > 65535)
        app_error(argv[1], EINVAL);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&stops);
    sigaddset(&stops, SIGINT);
    sigaddset(&stops, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stops, NULL);
    int listener = Socket(AF_INET, SOCK_STREAM);
    Reuse(listener);
    Bind(listener, (uint16_t)port);
    Listen(listener, SOMAXCONN);
    if ((rc = pthread_create(&thread, NULL, wait_for_signal, &stops)) != 0)
        app_error("pthread_create", rc);
    for (;;) {
        int fd = Accept(listener);
        rc = pthread_create(&thread, NULL, serve_client, (void *)(intptr_t)fd);
        if (rc == 0)
            pthread_detach(thread);
        else
            close(fd);
    }
}
