/* Wrong: closes as soon as the client half-closes, although bytes of it still
 *        wait to be sent.
 * Fails: echo
 * Line: 122
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int listen_on(const char *text)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    char *end;
    long port = strtol(text, &end, 10);
    int fd, on = 1;

    if (*end != '\0' || port < 1 || port > 65535) {
        fprintf(stderr, "bad port: %s\n", text);
        exit(1);
    }
    any.sin_addr.s_addr = htonl(INADDR_ANY);
    any.sin_port = htons((unsigned short)port);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        die("socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
        die("setsockopt");
    if (bind(fd, (struct sockaddr *)&any, sizeof any) < 0)
        die("bind");
    if (listen(fd, SOMAXCONN) < 0)
        die("listen");
    return fd;
}

/* A failing accept never ends the server; a shortage is waited out. */
static int next_client(int listener)
{
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd >= 0)
            return fd;
        if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO)
            continue;
        perror("accept");
        poll(NULL, 0, 100);
    }
}

enum { SIZE = 8192 };

struct ring {
    char data[SIZE];
    size_t head, used; /* where the oldest byte lies, how many there are */
};

static int not_now(void)
{
    return errno == EAGAIN || errno == EINTR;
}

/* 1 if more may come, 0 at the end, -1 if broken. */
static int take(int fd, struct ring *r)
{
    size_t at = (r->head + r->used) % SIZE;
    size_t room = at < r->head ? r->head - at : SIZE - at;
    ssize_t n = read(fd, r->data + at, room);

    if (n > 0)
        r->used += (size_t)n;
    if (n < 0)
        return not_now() ? 1 : -1;
    return n > 0;
}

/* 0, or -1 if broken. */
static int give(int fd, struct ring *r)
{
    size_t run = r->used < SIZE - r->head ? r->used : SIZE - r->head;
    ssize_t n = write(fd, r->data + r->head, run);

    if (n < 0)
        return not_now() ? 0 : -1;
    r->head = (r->head + (size_t)n) % SIZE;
    r->used -= (size_t)n;
    return 0;
}

static void serve(int fd)
{
    struct ring r = {.used = 0};
    struct pollfd p = {.fd = fd};

    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
        return;
    for (;;) {
        p.events = 0;
        if (r.used < SIZE)
            p.events |= POLLIN;
        if (r.used > 0)
            p.events |= POLLOUT;
        if (poll(&p, 1, -1) < 0) {
            if (errno == EINTR)
                continue;
            return;
        }
        if (r.used < SIZE && p.revents & (POLLIN | POLLERR | POLLHUP))
            if (take(fd, &r) <= 0) /* BUG */
                return;
        if (r.used > 0 && p.revents & (POLLOUT | POLLERR | POLLHUP))
            if (give(fd, &r) < 0)
                return;
    }
}

int main(int argc, char **argv)
{
    int lfd;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    lfd = listen_on(argv[1]);
    for (;;) {
        int fd = next_client(lfd);

        serve(fd);
        close(fd);
    }
}
