/* Wrong: takes any end of the connection for success, also when a part of the
 *        echo is missing.
 * Fails: shutdown
 * Also: reset sigpipe
 * Line: 92
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

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long missing; /* read from stdin, not yet back */
static int no_more;

static void quit(const char *what)
{
    perror(what);
    _exit(1);
}

static void change(long by, int end)
{
    pthread_mutex_lock(&lock);
    missing += by;
    no_more |= end;
    if (no_more && missing <= 0)
        _exit(0);
    pthread_mutex_unlock(&lock);
}

static void *print_echo(void *arg)
{
    int fd = *(int *)arg;
    char buf[512];
    ssize_t n;

    while ((n = recv(fd, buf, sizeof buf, 0)) > 0) {
        for (ssize_t done = 0, w; done < n; done += w) {
            w = write(STDOUT_FILENO, buf + done, (size_t)(n - done));
            if (w < 0)
                quit("stdout");
        }
        change(-n, 0);
    }
    if (n < 0)
        quit("recv");
    _exit(0); /* BUG */
}

int main(int argc, char **argv)
{
    char buf[512];
    pthread_t reader;
    ssize_t n;
    int fd;

    if (argc != 3) {
        fprintf(stderr, "usage: %s HOST PORT\n", argv[0]);
        return 2;
    }
    if (port_is_bad(argv[2])) {
        fprintf(stderr, "client: port %s: not in 1..65535\n", argv[2]);
        return 1;
    }
    fd = connect_to(argv[1], argv[2]);
    errno = pthread_create(&reader, NULL, print_echo, &fd);
    if (errno != 0)
        quit("pthread_create");
    while ((n = read(STDIN_FILENO, buf, sizeof buf)) > 0) {
        change(n, 0);
        for (ssize_t done = 0, w; done < n; done += w) {
            w = send(fd, buf + done, (size_t)(n - done), MSG_NOSIGNAL);
            if (w < 0)
                quit("send");
        }
    }
    if (n < 0)
        quit("stdin");
    change(0, 1);
    shutdown(fd, SHUT_WR);
    pthread_join(reader, NULL);
    return 1;
}
