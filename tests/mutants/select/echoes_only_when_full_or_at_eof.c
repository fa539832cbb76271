/* Wrong: input is gathered until the buffer is full or the client has ended;
 * a client that waits for its echo before it goes on waits for ever.
 * Fails: echo
 * Line: 58
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

static struct client {
    int fd, eof, flushing;
    size_t off, len;
    char buf[1 << 13];
} * client[FD_SETSIZE];
static int clients;

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

static int again(int err)
{
    return err == EAGAIN || err == EINTR;
}

static int serve(struct client *c)
{
    ssize_t n;

    if (!c->eof && !c->flushing) {
        n = read(c->fd, c->buf + c->len, sizeof(c->buf) - c->len); /* BUG */
        if (n < 0 && !again(errno))
            return -1;
        c->eof = n == 0;
        c->len += n > 0 ? n : 0;
        if (c->eof || c->len == sizeof(c->buf))
            c->flushing = 1;
    }
    if (c->flushing && c->off < c->len) {
        n = write(c->fd, c->buf + c->off, c->len - c->off);
        if (n < 0 && !again(errno))
            return -1;
        c->off += n > 0 ? n : 0;
    }
    if (c->flushing && c->off == c->len) {
        c->off = c->len = 0;
        c->flushing = 0;
    }
    return c->eof && c->len == 0 ? -1 : 0;
}

static void add(int fd)
{
    struct client *c = fd < FD_SETSIZE ? malloc(sizeof(*c)) : NULL;

    if (c == NULL || fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
        free(c);
        close(fd);
        return;
    }
    c->fd = fd;
    c->eof = c->flushing = 0;
    c->off = c->len = 0;
    client[clients++] = c;
}

int main(int argc, char **argv)
{
    int listener, i, fd, paused = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    listener = listen_on(argv[1]);
    for (;;) {
        struct timeval tv = {0, 100000};
        fd_set rd, wr;

        FD_ZERO(&rd);
        FD_ZERO(&wr);
        if (!paused)
            FD_SET(listener, &rd);
        for (i = 0; i < clients; i++)
            FD_SET(client[i]->fd, client[i]->flushing ? &wr : &rd);
        if (select(FD_SETSIZE, &rd, &wr, NULL, paused ? &tv : NULL) < 0) {
            if (errno == EINTR)
                continue;
            perror("select");
            return 1;
        }
        paused = 0;
        for (i = clients - 1; i >= 0; i--) {
            fd = client[i]->fd;
            if (!FD_ISSET(fd, &rd) && !FD_ISSET(fd, &wr))
                continue;
            if (serve(client[i]) < 0) {
                close(fd);
                free(client[i]);
                client[i] = client[--clients];
            }
        }
        if (!FD_ISSET(listener, &rd))
            continue;
        if ((fd = accept(listener, NULL, NULL)) >= 0)
            add(fd);
        else
            paused = !again(errno) && errno != ECONNABORTED && errno != EPROTO;
    }
}
