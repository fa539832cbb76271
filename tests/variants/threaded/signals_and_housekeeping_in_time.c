/* Right: one thread waits a second at a time for a signal, another five for
 * something to tidy up, and in a shortage one and a half for a connection that
 * is given back; none is ever in a hurry.
 * Quick: no */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static atomic_ulong clients, bytes;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t untidy = PTHREAD_COND_INITIALIZER;
static sem_t given_back;
static int listener;

static void say(const char *what, int error)
{
    fprintf(stderr, "%s: %s\n", what, strerror(error));
}

static void wait_out_shortage(void)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 500000000;
    until.tv_sec += 1 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    sem_timedwait(&given_back, &until);
}

static void *tidy(void *nothing)
{
    struct timespec until;

    pthread_mutex_lock(&lock);
    while (clock_gettime(CLOCK_REALTIME, &until) == 0) {
        until.tv_sec += 5;
        pthread_cond_timedwait(&untidy, &lock, &until);
    }
    pthread_mutex_unlock(&lock);
    return nothing;
}

static int repeat(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);

        if (sent > 0) {
            data += sent;
            len -= (size_t)sent;
            bytes += (unsigned long)sent;
        } else if (errno != EINTR) {
            return 0;
        }
    }
    return 1;
}

static void *converse(void *number)
{
    int fd = (int)(long)number;
    char said[1000];
    ssize_t len;

    do
        len = recv(fd, said, sizeof(said), 0);
    while ((len < 0 && errno == EINTR) ||
           (len > 0 && repeat(fd, said, (size_t)len)));
    close(fd);
    clients++;
    return NULL;
}

static int detached(void *(*what)(void *), long with)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, what, (void *)with);

    return error ? error : pthread_detach(thread);
}

static void *welcome(void *nothing)
{
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd >= 0 && detached(converse, fd) != 0)
            close(fd);
        else if (fd < 0 && (errno == EMFILE || errno == ENFILE ||
                            errno == ENOBUFS || errno == ENOMEM))
            wait_out_shortage();
    }
    return nothing;
}

static int opens(const char *port)
{
    char *end;
    const long number = strtol(port, &end, 10);
    const struct sockaddr_in6 all = {.sin6_family = AF_INET6,
                                     .sin6_port = htons((in_port_t)number),
                                     .sin6_addr = in6addr_any};
    const int on = 1;

    errno = EINVAL;
    if (end == port || *end || number < 1 || number > 0xffff)
        return 0;
    listener = socket(AF_INET6, SOCK_STREAM, 0);
    return listener >= 0 &&
           !setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) &&
           !bind(listener, (const struct sockaddr *)&all, sizeof(all)) &&
           !listen(listener, 256);
}

int main(int argc, char **argv)
{
    const struct timespec second = {1, 0};
    sigset_t ends;
    int error;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    if (!opens(argv[1])) {
        say(argv[1], errno);
        return 1;
    }
    sem_init(&given_back, 0, 0);
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    if ((error = detached(tidy, 0)) || (error = detached(welcome, 0))) {
        say("pthread_create", error);
        return 1;
    }
    while (sigtimedwait(&ends, NULL, &second) < 0)
        ;
    printf("served %lu connections, %lu bytes\n", clients, bytes);
    return 0;
}
