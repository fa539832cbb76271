/* Wrong: reads stdin by fgets and measures by strlen; bytes behind a NUL are
 *        never sent.
 * Fails: echo
 * Line: 97
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

struct shared {
    pthread_mutex_t lock;
    unsigned long sent, got;
    int eof, sock;
};

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

static void stop(const char *what)
{
    perror(what);
    _exit(1);
}

static void write_all(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            stop("write");
        p += n;
        len -= (size_t)n;
    }
}

static void finish_if_complete(struct shared *s)
{
    if (s->eof && s->got >= s->sent)
        _exit(0);
}

static void *send_lines(void *arg)
{
    struct shared *s = arg;
    char line[1024];

    while (fgets(line, sizeof line, stdin) != NULL) {
        size_t len = strlen(line);

        write_all(s->sock, line, len); /* BUG */
        pthread_mutex_lock(&s->lock);
        s->sent += len;
        pthread_mutex_unlock(&s->lock);
    }
    if (ferror(stdin))
        stop("stdin");
    pthread_mutex_lock(&s->lock);
    s->eof = 1;
    finish_if_complete(s);
    pthread_mutex_unlock(&s->lock);
    shutdown(s->sock, SHUT_WR);
    return NULL;
}

int main(int argc, char **argv)
{
    struct shared s = {.lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t tid;
    char buf[1024];
    ssize_t n;

    if (argc != 3) {
        fprintf(stderr, "usage: %s HOST PORT\n", argv[0]);
        return 2;
    }
    if (port_is_bad(argv[2])) {
        fprintf(stderr, "client: port %s: not in 1..65535\n", argv[2]);
        return 1;
    }
    signal(SIGPIPE, SIG_IGN);
    s.sock = dial(argv[1], argv[2]);
    if (s.sock < 0)
        return 1;
    errno = pthread_create(&tid, NULL, send_lines, &s);
    if (errno != 0)
        stop("pthread_create");
    while ((n = read(s.sock, buf, sizeof buf)) > 0) {
        write_all(STDOUT_FILENO, buf, (size_t)n);
        pthread_mutex_lock(&s.lock);
        s.got += (unsigned long)n;
        finish_if_complete(&s);
        pthread_mutex_unlock(&s.lock);
    }
    if (n < 0)
        stop("read");
    fprintf(stderr, "client: the server closed too early\n");
    _exit(1);
}
