/* Wrong: the listening socket is blocking and accept is called again after a
 * connection that vanished: it waits for the next one, and everybody with it.
 * Fails: accept
 * Line: 80
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

struct client {
    struct client *next;
    int fd, eof;
    size_t off, len;
    char buf[4096];
};

static int listen_on(const char *text)
{
    struct sockaddr_in addr = {.sin_family = AF_INET};
    char *end;
    long port = strtol(text, &end, 10);
    int fd, on = 1;

    if (end == text || *end != '\0' || port < 1 || port > 65535) {
        fprintf(stderr, "port %s: %s\n", text, strerror(EINVAL));
        exit(1);
    }
    addr.sin_port = htons(port);
    addr.sin_addr.s_addr = htonl(INADDR_ANY);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
        listen(fd, SOMAXCONN) < 0) {
        perror("cannot listen");
        exit(1);
    }
    return fd;
}

static int not_now(void)
{
    return errno == EAGAIN || errno == EINTR;
}

/* Returns 0 when the client has gone or is done. */
static int serve(struct client *c)
{
    ssize_t n;

    if (!c->eof && c->len < sizeof(c->buf)) {
        n = recv(c->fd, c->buf + c->len, sizeof(c->buf) - c->len, MSG_DONTWAIT);
        if (n < 0 && !not_now())
            return 0;
        c->eof = n == 0;
        c->len += n > 0 ? n : 0;
    }
    if (c->off < c->len) {
        n = send(c->fd, c->buf + c->off, c->len - c->off,
                 MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0)
            return not_now();
        c->off += n;
    }
    if (c->off == c->len)
        c->off = c->len = 0;
    return !c->eof || c->len > 0;
}

static int next_client(int listener)
{
    int fd;

    do
        fd = accept(listener, NULL, NULL); /* BUG */
    while (fd < 0 && (errno == ECONNABORTED || errno == EPROTO));
    return fd;
}

static void add(struct client **list, int fd)
{
    struct client *c = fd < FD_SETSIZE ? calloc(1, sizeof(*c)) : NULL;

    if (c == NULL) {
        close(fd);
        return;
    }
    c->fd = fd;
    c->next = *list;
    *list = c;
}

int main(int argc, char **argv)
{
    struct client *list = NULL, *c, **p;
    int listener, fd, paused = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    listener = listen_on(argv[1]);
    for (;;) {
        struct timeval tv = {0, 100000};
        fd_set rd, wr;
        int top = listener;

        FD_ZERO(&rd);
        FD_ZERO(&wr);
        if (!paused)
            FD_SET(listener, &rd);
        for (c = list; c != NULL; c = c->next) {
            if (!c->eof && c->len < sizeof(c->buf))
                FD_SET(c->fd, &rd);
            if (c->len > 0)
                FD_SET(c->fd, &wr);
            if (top < c->fd)
                top = c->fd;
        }
        if (select(top + 1, &rd, &wr, NULL, paused ? &tv : NULL) < 0) {
            if (errno == EINTR)
                continue;
            perror("select");
            return 1;
        }
        paused = 0;
        p = &list;
        while ((c = *p) != NULL) {
            if ((FD_ISSET(c->fd, &rd) || FD_ISSET(c->fd, &wr)) && !serve(c)) {
                *p = c->next;
                close(c->fd);
                free(c);
            } else {
                p = &c->next;
            }
        }
        if (!FD_ISSET(listener, &rd))
            continue;
        if ((fd = next_client(listener)) >= 0)
            add(&list, fd);
        else
            paused = errno != EINTR;
    }
}
