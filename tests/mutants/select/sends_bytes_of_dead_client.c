/* Wrong: the state of a connection that broke is taken over by the next one
 * on its descriptor, which gets the bytes that were meant for the dead one.
 * Fails: reset
 * Also: sigpipe
 * Line: 90
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

static struct slot {
    enum { FREE, OPEN, HALF_CLOSED } state;
    size_t off, len;
    char buf[5000];
} slots[FD_SETSIZE];

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

static int transient(void)
{
    return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED ||
           errno == EPROTO;
}

static int accept_client(int listener)
{
    int fd = accept(listener, NULL, NULL);

    if (fd < 0)
        return transient() ? 0 : -1;
    if (fd >= FD_SETSIZE || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
        close(fd);
    else
        slots[fd].state = OPEN;
    return 0;
}

static void release(int fd)
{
    close(fd);
    slots[fd].state = FREE;
}

static int input(int fd, struct slot *s)
{
    ssize_t n = read(fd, s->buf + s->len, sizeof(s->buf) - s->len);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    if (n == 0)
        s->state = HALF_CLOSED;
    s->len += n;
    return 0;
}

static int output(int fd, struct slot *s)
{
    ssize_t n = write(fd, s->buf + s->off, s->len - s->off); /* BUG */

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    s->off += n;
    if (s->off == s->len)
        s->off = s->len = 0;
    return 0;
}

int main(int argc, char **argv)
{
    int listener, fd, starved = 0;
    fd_set rd, wr;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    listener = open_listener(argv[1]);
    for (;;) {
        struct timeval tv = {.tv_usec = 100000};
        int top = listener;

        FD_ZERO(&rd);
        FD_ZERO(&wr);
        for (fd = 0; fd < FD_SETSIZE; fd++) {
            if (slots[fd].state == OPEN && slots[fd].len < sizeof(slots->buf))
                FD_SET(fd, &rd);
            if (slots[fd].state != FREE && slots[fd].len > 0)
                FD_SET(fd, &wr);
            if (slots[fd].state != FREE && fd > top)
                top = fd;
        }
        if (!starved)
            FD_SET(listener, &rd);
        if (select(top + 1, &rd, &wr, NULL, starved ? &tv : NULL) < 0) {
            if (errno == EINTR)
                continue;
            perror("select");
            return 1;
        }
        for (fd = 0; fd <= top; fd++) {
            struct slot *s = &slots[fd];

            if (s->state == FREE)
                continue;
            if ((FD_ISSET(fd, &rd) && input(fd, s) < 0) ||
                (s->len > 0 && output(fd, s) < 0) ||
                (s->state == HALF_CLOSED && s->len == 0))
                release(fd);
        }
        starved =
            !starved && FD_ISSET(listener, &rd) && accept_client(listener) < 0;
    }
}
