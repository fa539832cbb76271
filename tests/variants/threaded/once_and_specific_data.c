/* Right: each thread's buffer hangs on a key that the first one makes, by
 * pthread_once(); clients come to the workers' starter by a socketpair. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SIZE 1024

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long clients, total;
static int way[2]; /* from main to the starter */

static void make_key(void)
{
    pthread_key_create(&key, free);
}

static char *buffer(void)
{
    pthread_once(&once, make_key);
    char *own = pthread_getspecific(key);
    if (own == NULL && (own = malloc(SIZE)) != NULL &&
        pthread_setspecific(key, own) != 0) {
        free(own);
        own = NULL;
    }
    return own;
}

static void add(unsigned long ended, size_t bytes)
{
    pthread_mutex_lock(&lock);
    clients += ended;
    total += bytes;
    pthread_mutex_unlock(&lock);
}

static void echo(int fd, char *data)
{
    ssize_t got, put;

    while ((got = recv(fd, data, SIZE, 0)) != 0) {
        if (got < 0 && errno != EINTR)
            break;
        for (ssize_t at = 0; at < got; at += put) {
            put = send(fd, data + at, (size_t)(got - at), MSG_NOSIGNAL);
            if (put < 0 && errno != EINTR)
                return;
            put = put < 0 ? 0 : put;
            add(0, (size_t)put);
        }
    }
}

static void *serve(void *arg)
{
    int fd = *(int *)arg;
    char *data = buffer();

    if (data != NULL)
        echo(fd, data);
    free(arg);
    close(fd);
    add(1, 0);
    return NULL;
}

static void *start_threads(void *attr)
{
    int *client;

    while (recv(way[1], &client, sizeof client, 0) == (ssize_t)sizeof client) {
        pthread_t thread;
        if (pthread_create(&thread, attr, serve, client) != 0) {
            close(*client);
            free(client);
        }
    }
    return NULL;
}

static int listen_at(const char *text)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    char *end;
    long port = strtol(text, &end, 10);
    int yes = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

    if (*end != '\0' || port < 1 || port > 65535) {
        fprintf(stderr, "threaded: %s is no port\n", text);
        exit(1);
    }
    at.sin_port = htons((unsigned short)port);
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
        bind(fd, (struct sockaddr *)&at, sizeof at) < 0 ||
        listen(fd, SOMAXCONN) < 0) {
        perror("threaded");
        exit(1);
    }
    return fd;
}

static void *accept_all(void *arg)
{
    int listener = *(int *)arg;

    for (;;) {
        int *client = malloc(sizeof *client);
        int fd = accept(listener, NULL, NULL);

        if (fd >= 0 && client != NULL) {
            *client = fd;
            send(way[0], &client, sizeof client, MSG_NOSIGNAL);
            continue;
        }
        free(client);
        if (fd >= 0)
            close(fd);
        else if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
            poll(NULL, 0, 20);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    static pthread_attr_t detached;
    static int listener;
    pthread_t starter, acceptor;
    sigset_t ends;
    int error;

    if (argc != 2) {
        fprintf(stderr, "usage: threaded PORT\n");
        return 2;
    }
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    listener = listen_at(argv[1]);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, way) < 0) {
        perror("threaded: socketpair");
        return 1;
    }
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    error = pthread_create(&starter, NULL, start_threads, &detached);
    if (error == 0)
        error = pthread_create(&acceptor, NULL, accept_all, &listener);
    if (error != 0) {
        fprintf(stderr, "threaded: %s\n", strerror(error));
        return 1;
    }
    while (sigwaitinfo(&ends, NULL) < 0)
        continue;
    pthread_mutex_lock(&lock);
    printf("served %lu connections, %lu bytes\n", clients, total);
    fflush(stdout);
    _exit(0);
}
