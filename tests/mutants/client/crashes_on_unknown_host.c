/* Wrong: does not look at the result of getaddrinfo; an unknown host makes it
 *        use a null pointer.
 * Fails: startup
 * Also: memory
 * Line: 43
 */
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

static int sock;
static unsigned long sent, got;
static int done_reading;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

/* getaddrinfo() takes 70000 for 4464. */
static int port_is_bad(const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);

    return *end == '\0' && (port < 1 || port > 65535);
}

static void bail(const char *what)
{
    perror(what);
    _exit(1);
}

static void open_connection(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL, *ai;
    int why;

    getaddrinfo(host, port, &hints, &list); /* BUG */
    ai = list;
    do {
        sock = socket(ai->ai_family, ai->ai_socktype, 0);
        if (sock >= 0 && connect(sock, ai->ai_addr, ai->ai_addrlen) == 0) {
            freeaddrinfo(list);
            return;
        }
        why = errno;
        if (sock >= 0)
            close(sock);
        ai = ai->ai_next;
    } while (ai != NULL);
    freeaddrinfo(list);
    errno = why;
    bail("connect");
}

static void copy(int from, int to, unsigned long *count)
{
    char buf[4096];
    ssize_t n, w;

    while ((n = read(from, buf, sizeof buf)) != 0) {
        if (n < 0)
            bail("read");
        for (char *p = buf; n > 0; p += w, n -= w) {
            w = write(to, p, (size_t)n);
            if (w < 0)
                bail("write");
            pthread_mutex_lock(&guard);
            *count += (unsigned long)w;
            if (done_reading && got >= sent)
                _exit(0);
            pthread_mutex_unlock(&guard);
        }
    }
}

static void *to_server(void *unused)
{
    copy(STDIN_FILENO, sock, &sent);
    pthread_mutex_lock(&guard);
    done_reading = 1;
    if (got >= sent)
        _exit(0);
    pthread_mutex_unlock(&guard);
    shutdown(sock, SHUT_WR);
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t thread;

    if (argc != 3) {
        fprintf(stderr, "usage: %s HOST PORT\n", argv[0]);
        return 2;
    }
    if (port_is_bad(argv[2])) {
        fprintf(stderr, "client: port %s: not in 1..65535\n", argv[2]);
        return 1;
    }
    signal(SIGPIPE, SIG_IGN);
    open_connection(argv[1], argv[2]);
    errno = pthread_create(&thread, NULL, to_server, NULL);
    if (errno != 0)
        bail("pthread_create");
    copy(sock, STDOUT_FILENO, &got);
    fprintf(stderr, "client: the server stopped too early\n");
    _exit(1);
}
