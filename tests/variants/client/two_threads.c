/* Right: one thread sends, the other receives, a mutex guards the counts. */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long long sent, got;
static int ended; /* stdin is at its end: sent is final */

/* The only way out of a failure, from either thread. */
static void fail(const char *what, const char *why)
{
    fprintf(stderr, "client: %s: %s\n", what, why);
    _exit(1);
}

/* getaddrinfo() takes 70000 for 4464. */
static int port_is_bad(const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);

    return *end == '\0' && (port < 1 || port > 65535);
}

/* Tries every address in the resolver's order; ends the run if none connects.
 */
static int connect_to(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list, *ai;
    int fd = -1, why = 0;
    int rc = getaddrinfo(host, port, &hints, &list);

    if (rc != 0) {
        fprintf(stderr, "client: %s: %s\n", host, gai_strerror(rc));
        exit(1);
    }
    for (ai = list; ai != NULL; ai = ai->ai_next) {
        fd = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
        if (fd >= 0 && connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
            break;
        why = errno;
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(list);
    if (fd < 0) {
        fprintf(stderr, "client: connect %s: %s\n", host, strerror(why));
        exit(1);
    }
    return fd;
}

static void count(unsigned long long *counter, size_t n)
{
    pthread_mutex_lock(&lock);
    *counter += n;
    if (ended && got >= sent)
        _exit(0);
    pthread_mutex_unlock(&lock);
}

static void put(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = fd == STDOUT_FILENO ? write(fd, p, len)
                                        : send(fd, p, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            fail("write", strerror(errno));
        p += n;
        len -= (size_t)n;
    }
}

static ssize_t get(int fd, char *buf, size_t size)
{
    ssize_t n;

    do
        n = read(fd, buf, size);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        fail("read", strerror(errno));
    return n;
}

static void *sender(void *arg)
{
    int sock = *(int *)arg;
    char buf[8192];
    ssize_t n;

    while ((n = get(STDIN_FILENO, buf, sizeof buf)) > 0) {
        put(sock, buf, (size_t)n);
        count(&sent, (size_t)n);
    }
    pthread_mutex_lock(&lock);
    ended = 1;
    if (got >= sent)
        _exit(0);
    pthread_mutex_unlock(&lock);
    shutdown(sock, SHUT_WR); /* failing, the count decides */
    return NULL;
}

int main(int argc, char **argv)
{
    char buf[8192];
    pthread_t thread;
    int sock, rc;
    ssize_t n;

    if (argc != 3) {
        fprintf(stderr, "usage: %s HOST PORT\n", argv[0]);
        return 2;
    }
    if (port_is_bad(argv[2])) {
        fprintf(stderr, "client: port %s: not in 1..65535\n", argv[2]);
        return 1;
    }
    sock = connect_to(argv[1], argv[2]);
    rc = pthread_create(&thread, NULL, sender, &sock);
    if (rc != 0)
        fail("pthread_create", strerror(rc));
    while ((n = get(sock, buf, sizeof buf)) > 0) {
        put(STDOUT_FILENO, buf, (size_t)n);
        count(&got, (size_t)n);
    }
    fail("server", "ended before everything came back");
}
