/* Wrong: each connection gets a buffer of its own, which nobody frees when
 * the connection ends.
 * Fails: leak
 * Line: 74
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

#define BUFSIZE 16000

struct client {
    char *buf;
    int off, len, eof, active;
};

static struct client clients[FD_SETSIZE];

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int make_listener(const char *text)
{
    struct sockaddr_in any;
    char *end;
    long port;
    int fd, yes = 1;

    errno = 0;
    port = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || port <= 0 || port >= 65536) {
        errno = EINVAL;
        die(text);
    }
    memset(&any, 0, sizeof(any));
    any.sin_family = AF_INET;
    any.sin_port = htons((unsigned short)port);
    if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1)
        die("socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == -1)
        die("setsockopt");
    if (bind(fd, (struct sockaddr *)&any, sizeof(any)) == -1)
        die("bind");
    if (listen(fd, 128) == -1)
        die("listen");
    if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
        die("fcntl");
    return fd;
}

static void stop(int fd)
{
    clients[fd].active = 0;
    if (close(fd) == -1)
        perror("close");
}

static int start(int fd)
{
    struct client *c;

    if (fd >= FD_SETSIZE || fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
        return -1;
    c = &clients[fd];
    if ((c->buf = malloc(BUFSIZE)) == NULL) /* BUG */
        return -1;
    c->off = c->len = c->eof = 0;
    c->active = 1;
    return 0;
}

/* 1: closed, 0: goes on */
static int pump(int fd, struct client *c, int can_read)
{
    ssize_t n;

    if (can_read) {
        n = recv(fd, c->buf + c->len, BUFSIZE - c->len, 0);
        if (n == -1 && errno != EAGAIN && errno != EINTR)
            return 1;
        c->eof = n == 0;
        if (n > 0)
            c->len += n;
    }
    if (c->off < c->len) {
        n = send(fd, c->buf + c->off, c->len - c->off, MSG_NOSIGNAL);
        if (n == -1)
            return errno != EAGAIN && errno != EINTR;
        c->off += n;
    }
    if (c->off == c->len)
        c->off = c->len = 0;
    return c->eof && c->len == 0;
}

int main(int argc, char *argv[])
{
    fd_set in, out;
    int listener, fd, hold = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    listener = make_listener(argv[1]);
    while (1) {
        struct timeval tv = {0, 100000};

        FD_ZERO(&in);
        FD_ZERO(&out);
        if (!hold)
            FD_SET(listener, &in);
        for (fd = 0; fd < FD_SETSIZE; fd++) {
            struct client *c = &clients[fd];

            if (c->active && !c->eof && c->len < BUFSIZE)
                FD_SET(fd, &in);
            if (c->active && c->len > 0)
                FD_SET(fd, &out);
        }
        if (select(FD_SETSIZE, &in, &out, NULL, hold ? &tv : NULL) == -1) {
            if (errno != EINTR)
                die("select");
            continue;
        }
        hold = 0;
        for (fd = 0; fd < FD_SETSIZE; fd++)
            if (clients[fd].active &&
                (FD_ISSET(fd, &in) || FD_ISSET(fd, &out)) &&
                pump(fd, &clients[fd], FD_ISSET(fd, &in)))
                stop(fd);
        if (!FD_ISSET(listener, &in))
            continue;
        if ((fd = accept(listener, NULL, NULL)) == -1)
            hold = errno != EAGAIN && errno != EINTR && errno != ECONNABORTED &&
                   errno != EPROTO;
        else if (start(fd) == -1)
            close(fd);
    }
}
