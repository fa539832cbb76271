/* Wrong: a descriptor that is not below FD_SETSIZE is put in the set, which
 * writes past its end.
 * Fails: memory
 * Line: 117
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct node {
    int fd, eof;
    size_t off, len;
    char buf[512];
    struct node *next;
} node;

static int open_listener(const char *port)
{
    struct addrinfo hints = {.ai_family = AF_INET,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *ai;
    long number = strtol(port, NULL, 10);
    int fd, on = 1, rc = EAI_SERVICE;

    if (number > 0 && number < 65536)
        rc = getaddrinfo(NULL, port, &hints, &ai);
    if (rc != 0) {
        fprintf(stderr, "port %s: %s\n", port, gai_strerror(rc));
        exit(1);
    }
    fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK, 0);
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 ||
        listen(fd, SOMAXCONN) < 0) {
        fprintf(stderr, "cannot listen on %s: %s\n", port, strerror(errno));
        exit(1);
    }
    freeaddrinfo(ai);
    return fd;
}

static node *prepend(node *list, int fd)
{
    node *n = malloc(sizeof(*n));

    if (n == NULL || fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
        free(n);
        close(fd);
        return list;
    }
    n->fd = fd;
    n->eof = 0;
    n->off = n->len = 0;
    n->next = list;
    return n;
}

/* Returns 1 when the connection is at its end. */
static int serve(node *c)
{
    ssize_t n;

    if (!c->eof && c->len < sizeof(c->buf)) {
        n = recv(c->fd, c->buf + c->len, sizeof(c->buf) - c->len, 0);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return 1;
        if (n == 0)
            c->eof = 1;
        else if (n > 0)
            c->len += n;
    }
    if (c->len > 0) {
        n = send(c->fd, c->buf + c->off, c->len - c->off, MSG_NOSIGNAL);
        if (n < 0)
            return errno != EAGAIN && errno != EINTR;
        c->off += n;
        if (c->off == c->len)
            c->off = c->len = 0;
    }
    return c->eof && c->len == 0;
}

int main(int argc, char **argv)
{
    node *list = NULL, *c, **at;
    int listener, fd, max, wait = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    listener = open_listener(argv[1]);
    for (;;) {
        struct timeval tv = {.tv_usec = 100000};
        fd_set rd, wr;

        FD_ZERO(&rd);
        FD_ZERO(&wr);
        max = listener;
        if (!wait)
            FD_SET(listener, &rd);
        for (c = list; c != NULL; c = c->next) {
            if (!c->eof && c->len < sizeof(c->buf))
                FD_SET(c->fd, &rd);
            if (c->len > 0)
                FD_SET(c->fd, &wr);
            max = c->fd > max ? c->fd : max;
        }
        if (select(max + 1, &rd, &wr, NULL, wait ? &tv : NULL) < 0) { /* BUG */
            if (errno == EINTR)
                continue;
            perror("select");
            return 1;
        }
        wait = 0;
        for (at = &list; (c = *at) != NULL;) {
            if ((FD_ISSET(c->fd, &rd) || FD_ISSET(c->fd, &wr)) && serve(c)) {
                *at = c->next;
                close(c->fd);
                free(c);
            } else {
                at = &c->next;
            }
        }
        if (!FD_ISSET(listener, &rd))
            continue;
        if ((fd = accept(listener, NULL, NULL)) >= 0)
            list = prepend(list, fd);
        else
            wait = errno != EAGAIN && errno != EINTR && errno != ECONNABORTED &&
                   errno != EPROTO;
    }
}
