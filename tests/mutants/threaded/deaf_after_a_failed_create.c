/* Wrong: SIGINT and SIGTERM are blocked around pthread_create, for the new
 *        thread to inherit that, and let in again, but not where it failed.
 *        The mask that is saved and put back has them blocked from then on:
 *        nothing ends the server any more.
 * Fails: shutdown
 * Also: thread
 * Line: 96
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
#include <sys/socket.h>
#include <unistd.h>

static volatile sig_atomic_t stop;

static struct {
    pthread_mutex_t mutex;
    unsigned long served, bytes;
} total = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void on_stop(int sig)
{
    (void)sig;
    stop = 1;
}

static void add(unsigned long served, unsigned long bytes)
{
    pthread_mutex_lock(&total.mutex);
    total.served += served;
    total.bytes += bytes;
    pthread_mutex_unlock(&total.mutex);
}

static ssize_t send_back(int fd, const char *data, ssize_t len)
{
    ssize_t at = 0;

    while (at < len) {
        ssize_t n = write(fd, data + at, (size_t)(len - at));

        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1)
            return -1;
        add(0, (unsigned long)n);
        at += n;
    }
    return at;
}

static void *serve(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char data[2048];
    ssize_t n;

    do {
        n = read(fd, data, sizeof(data));
        if (n == -1 && errno == EINTR)
            n = 1;
        else if (n > 0)
            n = send_back(fd, data, n);
    } while (n > 0);
    close(fd);
    add(1, 0);
    return NULL;
}

static void serve_all(int listener)
{
    sigset_t stops, before;

    sigemptyset(&stops);
    sigaddset(&stops, SIGINT);
    sigaddset(&stops, SIGTERM);
    while (!stop) {
        int fd = accept(listener, NULL, NULL), error;
        void *arg = (void *)(intptr_t)fd;
        pthread_t thread;

        if (fd == -1) {
            if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
                poll(NULL, 0, 100);
            continue;
        }
        pthread_sigmask(SIG_BLOCK, &stops, &before);
        error = pthread_create(&thread, NULL, serve, arg); /* BUG */
        if (error != 0) {
            fprintf(stderr, "threaded: no thread: %s\n", strerror(error));
            close(fd);
            continue;
        }
        pthread_detach(thread);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
}

static int open_listener(const char *text)
{
    struct sockaddr_in address;
    char *end;
    long port = strtol(text, &end, 10);
    int fd, on = 1;

    errno = EINVAL;
    if (end == text || *end != '\0' || port < 1 || port > 65535)
        return -1;
    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)port);
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd == -1)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1 ||
        listen(fd, SOMAXCONN) == -1)
        return -1;
    return fd;
}

int main(int argc, char *argv[])
{
    struct sigaction action = {.sa_handler = on_stop}; /* no SA_RESTART */
    int listener;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    listener = open_listener(argv[1]);
    if (listener == -1) {
        fprintf(stderr, "%s: cannot listen on %s: %s\n", argv[0], argv[1],
                strerror(errno));
        return EXIT_FAILURE;
    }
    serve_all(listener);
    pthread_mutex_lock(&total.mutex);
    printf("served %lu connections, %lu bytes\n", total.served, total.bytes);
    pthread_mutex_unlock(&total.mutex);
    return EXIT_SUCCESS;
}
