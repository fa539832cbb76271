/* Wrong: looks only after the next input whether the server is still there;
 *        until then it sits in read on stdin.
 * Fails: reset
 * Also: shutdown
 * Line: 101
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

/* getaddrinfo() takes 70000 for 4464. */
static int port_is_bad(const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);

    return *end == '\0' && (port < 1 || port > 65535);
}

static int dial(const char *host, const char *port)
{
    struct addrinfo want, *all, *a;
    int rc, s, saved = 0;

    memset(&want, 0, sizeof want);
    want.ai_family = AF_UNSPEC;
    want.ai_socktype = SOCK_STREAM;
    rc = getaddrinfo(host, port, &want, &all);
    if (rc != 0) {
        fprintf(stderr, "cannot resolve %s: %s\n", host, gai_strerror(rc));
        return -1;
    }
    for (a = all; a != NULL; a = a->ai_next) {
        s = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (s < 0) {
            saved = errno;
            continue;
        }
        if (connect(s, a->ai_addr, a->ai_addrlen) == 0) {
            freeaddrinfo(all);
            return s;
        }
        saved = errno;
        close(s);
    }
    freeaddrinfo(all);
    fprintf(stderr, "cannot connect to %s: %s\n", host, strerror(saved));
    return -1;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long sent, got;
static int gone, ended; /* the server, stdin */

static int server_is_gone(void)
{
    int answer;

    pthread_mutex_lock(&lock);
    answer = gone;
    pthread_mutex_unlock(&lock);
    return answer;
}

static void count(unsigned long *counter, ssize_t n, int end)
{
    pthread_mutex_lock(&lock);
    *counter += (unsigned long)n;
    ended |= end;
    if (ended && got >= sent)
        _exit(0);
    pthread_mutex_unlock(&lock);
}

static int put(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, p, len);

        if (n < 0)
            return -1;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

static void *receive(void *arg)
{
    int sock = *(int *)arg;
    char buf[4096];
    ssize_t n;

    while ((n = read(sock, buf, sizeof buf)) > 0) { /* BUG */
        if (put(STDOUT_FILENO, buf, (size_t)n) < 0) {
            perror("stdout");
            _exit(1);
        }
        count(&got, n, 0);
    }
    pthread_mutex_lock(&lock);
    gone = 1;
    pthread_mutex_unlock(&lock);
    return NULL;
}

int main(int argc, char **argv)
{
    char buf[4096];
    pthread_t thread;
    ssize_t n;
    int sock;

    if (argc != 3) {
        fprintf(stderr, "usage: %s HOST PORT\n", argv[0]);
        return 2;
    }
    if (port_is_bad(argv[2])) {
        fprintf(stderr, "client: port %s: not in 1..65535\n", argv[2]);
        return 1;
    }
    signal(SIGPIPE, SIG_IGN);
    sock = dial(argv[1], argv[2]);
    if (sock < 0)
        return 1;
    errno = pthread_create(&thread, NULL, receive, &sock);
    if (errno != 0) {
        perror("pthread_create");
        return 1;
    }
    while ((n = read(STDIN_FILENO, buf, sizeof buf)) > 0) {
        if (server_is_gone() || put(sock, buf, (size_t)n) < 0) {
            fprintf(stderr, "client: the server is gone\n");
            return 1;
        }
        count(&sent, n, 0);
    }
    if (n < 0) {
        perror("stdin");
        return 1;
    }
    count(&sent, 0, 1);
    shutdown(sock, SHUT_WR);
    pthread_join(thread, NULL);
    fprintf(stderr, "client: not everything came back\n");
    return 1;
}
