/* Right: byte by byte in two threads, SIGPIPE blocked.
 * Quick: no */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long long missing; /* sent or about to be, and not yet back */
static int at_end;

static void quit(const char *what)
{
    fprintf(stderr, "client: %s: %s\n", what, strerror(errno));
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

static void add(long long change, int end)
{
    pthread_mutex_lock(&mutex);
    missing += change;
    at_end |= end;
    if (at_end && missing <= 0)
        _exit(0);
    pthread_mutex_unlock(&mutex);
}

/* One byte, or 0 at the end of the file. */
static int get_byte(int fd, char *c)
{
    for (;;) {
        ssize_t n = read(fd, c, 1);

        if (n >= 0)
            return (int)n;
        if (errno != EINTR)
            quit(fd == STDIN_FILENO ? "stdin" : "read");
    }
}

static void put_byte(int fd, char c)
{
    while (write(fd, &c, 1) != 1)
        if (errno != EINTR)
            quit(fd == STDOUT_FILENO ? "stdout" : "write");
}

static void *show_echo(void *sock)
{
    char c;

    while (get_byte(*(int *)sock, &c)) {
        put_byte(STDOUT_FILENO, c);
        add(-1, 0);
    }
    fprintf(stderr, "client: the server went away\n");
    _exit(1);
}

int main(int argc, char **argv)
{
    pthread_t thread;
    sigset_t set;
    int sock;
    char c;

    if (argc != 3) {
        fprintf(stderr, "usage: %s HOST PORT\n", argv[0]);
        return 2;
    }
    if (port_is_bad(argv[2])) {
        fprintf(stderr, "client: port %s: not in 1..65535\n", argv[2]);
        return 1;
    }
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    sock = connect_to(argv[1], argv[2]);
    errno = pthread_create(&thread, NULL, show_echo, &sock);
    if (errno != 0)
        quit("pthread_create");
    while (get_byte(STDIN_FILENO, &c)) {
        add(+1, 0);
        put_byte(sock, c);
    }
    add(0, 1);
    shutdown(sock, SHUT_WR); /* failing, the count decides */
    pthread_join(thread, NULL);
    return 1;
}
