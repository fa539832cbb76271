/* Wrong: never looks at how much send took; after a short write the rest is
 *        lost.
 * Fails: partial
 * Line: 84
 */
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
static int ended;

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

static void fail(const char *what)
{
    fprintf(stderr, "client: %s: %s\n", what, strerror(errno));
    _exit(1);
}

/* Leaves the program when stdin has ended and everything is back. */
static void account(size_t out, size_t in, int end)
{
    pthread_mutex_lock(&lock);
    sent += out;
    got += in;
    ended |= end;
    if (ended && got >= sent)
        _exit(0);
    pthread_mutex_unlock(&lock);
}

static void *keyboard_to_server(void *arg)
{
    int sock = *(int *)arg;
    char buf[4096];
    ssize_t n;

    while ((n = read(0, buf, sizeof buf)) > 0) {
        if (send(sock, buf, (size_t)n, MSG_NOSIGNAL) < 0) /* BUG */
            fail("send");
        account((size_t)n, 0, 0);
    }
    if (n < 0)
        fail("stdin");
    account(0, 0, 1);
    shutdown(sock, SHUT_WR);
    return NULL;
}

int main(int argc, char **argv)
{
    char buf[4096];
    pthread_t thread;
    int sock;

    if (argc != 3) {
        fprintf(stderr, "usage: %s HOST PORT\n", argv[0]);
        return 2;
    }
    if (port_is_bad(argv[2])) {
        fprintf(stderr, "client: port %s: not in 1..65535\n", argv[2]);
        return 1;
    }
    sock = connect_to(argv[1], argv[2]);
    if ((errno = pthread_create(&thread, NULL, keyboard_to_server, &sock)))
        fail("pthread_create");
    for (;;) {
        ssize_t w, off, n = recv(sock, buf, sizeof buf, 0);

        if (n < 0)
            fail("recv");
        if (n == 0) {
            fprintf(stderr, "client: connection ended too early\n");
            _exit(1);
        }
        for (off = 0; off < n; off += w)
            if ((w = write(1, buf + off, (size_t)(n - off))) < 0)
                fail("stdout");
        account(0, (size_t)n, 0);
    }
}
