/* Wrong: the way out of a broken connection leaves the lock locked; all other
 * threads wait for it for ever.
 * Fails: sigpipe
 * Also: reset, shutdown, descriptors
 * Line: 61
 */
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

struct totals {
    pthread_mutex_t mutex;
    unsigned long connections, bytes;
};

static struct totals totals = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void give_up(const char *doing, int number)
{
    fprintf(stderr, "threaded: %s: %s\n", doing, strerror(number));
    exit(1);
}

/* How many bytes went out; fewer than len: the connection is broken. */
static size_t send_all(int fd, const char *data, size_t len)
{
    size_t sent = 0;
    while (sent < len) {
        ssize_t n = send(fd, data + sent, len - sent, MSG_NOSIGNAL);
        if (n > 0)
            sent += (size_t)n;
        else if (errno != EINTR)
            break;
    }
    return sent;
}

static void *client_thread(void *argument)
{
    int fd = *(int *)argument;
    char data[2048];
    free(argument);
    for (;;) {
        ssize_t len = recv(fd, data, sizeof data, 0);
        if (len < 0 && errno == EINTR)
            continue;
        if (len <= 0)
            break;
        size_t sent = send_all(fd, data, (size_t)len);
        pthread_mutex_lock(&totals.mutex);
        totals.bytes += sent;
        if (sent < (size_t)len) {
            totals.connections++;
            close(fd); /* BUG */
            return NULL;
        }
        pthread_mutex_unlock(&totals.mutex);
    }
    pthread_mutex_lock(&totals.mutex);
    totals.connections++;
    pthread_mutex_unlock(&totals.mutex);
    close(fd);
    return NULL;
}

static int open_listener(const char *number)
{
    struct sockaddr_in here = {.sin_family = AF_INET};
    char *rest;
    int yes = 1, fd;
    long port = strtol(number, &rest, 10);
    if (rest == number || *rest != '\0' || port < 1 || port > 65535)
        give_up(number, EINVAL);
    here.sin_port = htons((in_port_t)port);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        give_up("socket", errno);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0)
        give_up("setsockopt", errno);
    if (bind(fd, (struct sockaddr *)&here, sizeof here) < 0)
        give_up("bind", errno);
    if (listen(fd, SOMAXCONN) < 0)
        give_up("listen", errno);
    return fd;
}

static void start_thread(int fd)
{
    pthread_t thread;
    int *argument = malloc(sizeof *argument);
    if (argument != NULL) {
        *argument = fd;
        if (pthread_create(&thread, NULL, client_thread, argument) == 0) {
            pthread_detach(thread);
            return;
        }
        free(argument);
    }
    close(fd);
}

static void *accept_loop(void *listener)
{
    for (;;) {
        int fd = accept(*(int *)listener, NULL, NULL);
        if (fd >= 0)
            start_thread(fd);
        else if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
            poll(NULL, 0, 50);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    static int listener;
    sigset_t ends;
    pthread_t acceptor;
    int which, failed;
    if (argc != 2) {
        fputs("usage: threaded PORT\n", stderr);
        return 2;
    }
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    listener = open_listener(argv[1]);
    failed = pthread_create(&acceptor, NULL, accept_loop, &listener);
    if (failed)
        give_up("pthread_create", failed);
    sigwait(&ends, &which);
    pthread_mutex_lock(&totals.mutex);
    printf("served %lu connections, %lu bytes\n", totals.connections,
           totals.bytes);
    fflush(stdout);
    _exit(0);
}
