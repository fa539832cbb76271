/* Right: C11 threads; main leaves by thrd_exit, the last one to know ends
 * the process. */
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <threads.h>
#include <unistd.h>

static const char *reason;

static void net_report(const char *program)
{
    fprintf(stderr, "%s: cannot connect: %s\n", program, reason);
}

static int tcp_connect(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    int fd = -1, error = EAI_SERVICE;
    char *end;
    long number = strtol(port, &end, 10);

    if (end != port && !*end && number >= 0 && number <= 65535)
        error = getaddrinfo(host, port, &hints, &list);
    reason = error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error);
    if (error)
        return -1;
    for (struct addrinfo *at = list; at && fd < 0; at = at->ai_next) {
        fd = socket(at->ai_family, at->ai_socktype, at->ai_protocol);
        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) == 0)
            break;
        reason = strerror(errno);
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(list);
    return fd;
}

static int write_all(int fd, const char *from, size_t n)
{
    while (n > 0) {
        ssize_t w = write(fd, from, n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return -1;
        from += w;
        n -= (size_t)w;
    }
    return 0;
}

static mtx_t lock;
static unsigned long long out, in;
static int done_typing;
static int conn;

static void quit(const char *text, int error)
{
    if (error)
        fprintf(stderr, "client: %s: %s\n", text, strerror(error));
    else
        fprintf(stderr, "client: %s\n", text);
    _exit(1);
}

static int complete(void)
{
    mtx_lock(&lock);
    int c = done_typing && in == out;
    mtx_unlock(&lock);
    return c;
}

static int hears(void *arg)
{
    static char b[777];
    (void)arg;
    for (;;) {
        ssize_t n = read(conn, b, sizeof b);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            int e = n < 0 ? errno : 0;
            if (complete())
                _exit(0);
            quit(e ? "read" : "server ended early", e);
        }
        if (write_all(1, b, (size_t)n) < 0)
            quit("stdout", errno);
        mtx_lock(&lock);
        in += (unsigned long long)n;
        mtx_unlock(&lock);
        if (complete())
            _exit(0);
    }
}

static int says(void *arg)
{
    static char b[555];
    (void)arg;
    for (;;) {
        ssize_t n = read(0, b, sizeof b);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            quit("stdin", errno);
        mtx_lock(&lock);
        out += (unsigned long long)n;
        done_typing = n == 0;
        mtx_unlock(&lock);
        if (n == 0)
            break;
        if (write_all(conn, b, (size_t)n) < 0)
            quit("write", errno);
    }
    if (complete())
        _exit(0);
    if (shutdown(conn, SHUT_WR) < 0 && !complete())
        quit("shutdown", errno);
    return 0;
}

int main(int argc, char **argv)
{
    thrd_t a, b;

    if (argc != 3) {
        fprintf(stderr, "usage: %s HOST PORT\n", *argv);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    if (mtx_init(&lock, mtx_plain) != thrd_success)
        return 1;
    conn = tcp_connect(argv[1], argv[2]);
    if (conn < 0) {
        net_report("client");
        return 1;
    }
    if (thrd_create(&a, hears, NULL) != thrd_success ||
        thrd_create(&b, says, NULL) != thrd_success)
        quit("no thread", 0);
    thrd_detach(a);
    thrd_detach(b);
    thrd_exit(0);
}
