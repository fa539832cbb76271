/* Wrong: serves a hundred clients at once and turns the next one away.
 * Fails: concurrency
 * Line: 115
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

static struct entry {
    int used, eof;
    size_t off, len;
    char buf[2048];
} table[FD_SETSIZE];

#define MAX_CLIENTS 100

static int clients;
static fd_set want_read, want_write;

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
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
        listen(fd, SOMAXCONN) < 0) {
        perror("cannot listen");
        exit(1);
    }
    return fd;
}

static void update(int fd)
{
    struct entry *e = &table[fd];

    FD_CLR(fd, &want_read);
    FD_CLR(fd, &want_write);
    if (e->used && !e->eof && e->len < sizeof(e->buf))
        FD_SET(fd, &want_read);
    if (e->used && e->off < e->len)
        FD_SET(fd, &want_write);
}

/* Each returns 0 when the connection is broken. */
static int take_in(int fd, struct entry *e)
{
    ssize_t n = recv(fd, e->buf + e->len, sizeof(e->buf) - e->len, 0);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    e->len += n;
    e->eof = n == 0;
    return 1;
}

static int put_out(int fd, struct entry *e)
{
    ssize_t n = send(fd, e->buf + e->off, e->len - e->off, MSG_NOSIGNAL);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    e->off += n;
    if (e->off == e->len)
        e->off = e->len = 0;
    return 1;
}

static void turn(int fd, int readable)
{
    struct entry *e = &table[fd];
    int alive = !readable || take_in(fd, e);

    if (alive && e->len > 0)
        alive = put_out(fd, e);
    if (!alive || (e->eof && e->len == 0)) {
        e->used = 0;
        clients--;
        update(fd);
        close(fd);
        return;
    }
    update(fd);
}

/* Returns the errno of a failure that a pause may cure, else 0. */
static int admit(int listener)
{
    int fd = accept(listener, NULL, NULL);

    if (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED ||
                   errno == EPROTO))
        return 0;
    if (fd < 0)
        return errno;
    if (clients == MAX_CLIENTS) {
        fprintf(stderr, "too many clients\n");
        close(fd); /* BUG */
        return 0;
    }
    if (fd >= FD_SETSIZE || fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
        close(fd);
        return 0;
    }
    clients++;
    table[fd].used = 1;
    table[fd].eof = 0;
    table[fd].off = table[fd].len = 0;
    update(fd);
    return 0;
}

int main(int argc, char **argv)
{
    int listener, nothing_free = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    listener = listen_on(argv[1]);
    for (;;) {
        fd_set rd = want_read, wr = want_write;
        struct timeval tv = {.tv_usec = 100000};
        int fd, n;

        if (!nothing_free)
            FD_SET(listener, &rd);
        n = select(FD_SETSIZE, &rd, &wr, NULL, nothing_free ? &tv : NULL);
        if (n < 0) {
            if (errno == EINTR)
                continue;
            perror("select");
            return 1;
        }
        nothing_free = 0;
        for (fd = 0; fd < FD_SETSIZE; fd++)
            if (table[fd].used && (FD_ISSET(fd, &rd) || FD_ISSET(fd, &wr)))
                turn(fd, FD_ISSET(fd, &rd));
        if (FD_ISSET(listener, &rd))
            nothing_free = admit(listener);
    }
}
