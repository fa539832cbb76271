/* Wrong: adds a newline when the last line has none, so that a byte more comes
 *        out than went in.
 * Fails: echo
 * Line: 99
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

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static size_t nsent, nback;
static int eof;

static void fatal(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    _exit(1);
}

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

static void note(size_t *counter, size_t n)
{
    pthread_mutex_lock(&m);
    *counter += n;
    if (eof && nback >= nsent)
        _exit(0);
    pthread_mutex_unlock(&m);
}

static void send_line(int sock, const char *line, size_t len)
{
    size_t off = 0;

    while (off < len) {
        ssize_t n = send(sock, line + off, len - off, MSG_NOSIGNAL);

        if (n < 0)
            fatal("send");
        off += (size_t)n;
    }
    note(&nsent, len);
}

static void *read_lines(void *arg)
{
    int sock = *(int *)arg;
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    while ((len = getline(&line, &size, stdin)) > 0) {
        send_line(sock, line, (size_t)len);
        if (line[len - 1] != '\n')
            send_line(sock, "\n", 1); /* BUG */
    }
    free(line);
    if (ferror(stdin))
        fatal("stdin");
    pthread_mutex_lock(&m);
    eof = 1;
    if (nback >= nsent)
        _exit(0);
    pthread_mutex_unlock(&m);
    shutdown(sock, SHUT_WR);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t tid;
    char buf[8000];
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
    sock = dial(argv[1], argv[2]);
    if (sock < 0)
        return 1;
    errno = pthread_create(&tid, NULL, read_lines, &sock);
    if (errno != 0)
        fatal("pthread_create");
    while ((n = recv(sock, buf, sizeof buf, 0)) > 0) {
        for (ssize_t w, off = 0; off < n; off += w) {
            w = write(1, buf + off, (size_t)(n - off));
            if (w < 0)
                fatal("stdout");
        }
        note(&nback, (size_t)n);
    }
    if (n < 0)
        fatal("recv");
    fprintf(stderr, "server closed before everything came back\n");
    _exit(1);
}
