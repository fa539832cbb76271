/* Wrong: what malloc answers is used without a look: when memory is short the
 * server dies of a null pointer.
 * Fails: memory
 * Line: 57
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

struct conn {
    struct conn *prev, *next;
    int fd, eof;
    size_t off, len;
    char buf[4096];
};

static struct conn head = {.prev = &head, .next = &head};

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

static void insert(int fd)
{
    struct conn *c = malloc(sizeof(*c));

    c->fd = fd; /* BUG */
    c->eof = 0;
    c->off = c->len = 0;
    c->prev = &head;
    c->next = head.next;
    c->next->prev = c;
    head.next = c;
}

static void delete (struct conn *c)
{
    c->prev->next = c->next;
    c->next->prev = c->prev;
    close(c->fd);
    free(c);
}

static int serve(struct conn *c)
{
    ssize_t n;

    if (!c->eof && c->len < sizeof(c->buf)) {
        n = read(c->fd, c->buf + c->len, sizeof(c->buf) - c->len);
        if (n == -1 && errno != EAGAIN && errno != EINTR)
            return -1;
        c->eof = n == 0;
        c->len += n > 0 ? n : 0;
    }
    if (c->len > 0) {
        n = write(c->fd, c->buf + c->off, c->len - c->off);
        if (n == -1 && errno != EAGAIN && errno != EINTR)
            return -1;
        c->off += n > 0 ? n : 0;
        if (c->off == c->len)
            c->off = c->len = 0;
    }
    return c->eof && c->len == 0 ? -1 : 0;
}

/* Returns 1 when there is nothing left to accept with. */
static int take(int listener)
{
    int fd = accept(listener, NULL, NULL);

    if (fd == -1)
        return errno != EAGAIN && errno != EINTR && errno != ECONNABORTED &&
               errno != EPROTO;
    if (fd >= FD_SETSIZE || fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
        close(fd);
    else
        insert(fd);
    return 0;
}

int main(int argc, char **argv)
{
    int listener, wait = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    listener = open_listener(argv[1]);
    for (;;) {
        struct timeval tenth = {0, 100000};
        struct conn *c, *next;
        fd_set rd, wr;

        FD_ZERO(&rd);
        FD_ZERO(&wr);
        if (!wait)
            FD_SET(listener, &rd);
        for (c = head.next; c != &head; c = c->next) {
            if (c->len > 0)
                FD_SET(c->fd, &wr);
            if (c->len < sizeof(c->buf) && !c->eof)
                FD_SET(c->fd, &rd);
        }
        if (select(FD_SETSIZE, &rd, &wr, NULL, wait ? &tenth : NULL) == -1) {
            if (errno == EINTR)
                continue;
            perror("select");
            return 1;
        }
        wait = 0;
        for (c = head.next; c != &head; c = next) {
            next = c->next;
            if ((FD_ISSET(c->fd, &rd) || FD_ISSET(c->fd, &wr)) && serve(c))
                delete (c);
        }
        if (FD_ISSET(listener, &rd))
            wait = take(listener);
    }
}
