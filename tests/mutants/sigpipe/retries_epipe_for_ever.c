/* Wrong: EPIPE is retried like EINTR; the server spins on the dead
 * connection and serves nobody else.
 * Fails: sigpipe
 * Line: 78
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum outcome { ENDED, BROKEN };

static void fail(const char *call)
{
    perror(call);
    exit(EXIT_FAILURE);
}

static unsigned short parse_port(const char *arg)
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(arg, &end, 10);
    if (errno != 0 || *arg < '0' || *arg > '9' || *end != '\0' || n == 0 ||
        n > 65535) {
        errno = EINVAL;
        fail(arg);
    }
    return (unsigned short)n;
}

static int make_server(unsigned short port)
{
    struct sockaddr_in me;
    const int on = 1;
    int s = socket(PF_INET, SOCK_STREAM, IPPROTO_TCP);
    if (s < 0)
        fail("socket");
    memset(&me, 0, sizeof me);
    me.sin_family = AF_INET;
    me.sin_addr.s_addr = INADDR_ANY;
    me.sin_port = htons(port);
    if (setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
        fail("setsockopt");
    if (bind(s, (struct sockaddr *)&me, sizeof me) < 0)
        fail("bind");
    if (listen(s, SOMAXCONN) < 0)
        fail("listen");
    return s;
}

static int next_client(int s)
{
    for (;;) {
        int c = accept(s, NULL, NULL);
        if (c >= 0)
            return c;
        switch (errno) {
        case EINTR:
        case ECONNABORTED:
        case EPROTO:
            break;
        default: {
            struct timespec pause = {0, 100 * 1000 * 1000};
            nanosleep(&pause, NULL);
        }
        }
    }
}

static int send_all(int c, const char *p, size_t left)
{
    while (left > 0) {
        ssize_t n = send(c, p, left, MSG_NOSIGNAL); /* BUG */
        if (n < 0) {
            if (errno == EINTR || errno == EPIPE)
                continue;
            return -1;
        }
        p += n;
        left -= (size_t)n;
    }
    return 0;
}

static enum outcome talk(int c)
{
    char buf[2000];
    ssize_t n;
    while ((n = recv(c, buf, sizeof buf, 0)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || send_all(c, buf, (size_t)n) != 0)
            return BROKEN;
    }
    return ENDED;
}

int main(int argc, char **argv)
{
    int total = 0;
    if (argc != 2) {
        fprintf(stderr, "usage: sigpipe PORT\n");
        return 2;
    }
    int s = make_server(parse_port(argv[1]));
    for (;;) {
        int c = next_client(s);
        enum outcome how = talk(c);
        close(c);
        if (how == BROKEN) {
            total++;
            printf("broken connections: %d\n", total);
            fflush(stdout);
        }
    }
}
