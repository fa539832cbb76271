/* Wrong: any failure of accept but EAGAIN ends the server.
 * Fails: accept
 * Line: 67
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    int fd, eof;
    size_t off, len;
    char *buf;
} Conn;

enum { MAX = 65536, SIZE = 10000 };
static struct pollfd fds[MAX];
static Conn *conns[MAX];
static int last; /* fds[0] is the listener, fds[1..last] the clients */

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

static int Accept(int listener)
{
    int fd = accept(listener, NULL, NULL);

    if (fd == -1 && errno != EAGAIN && errno != EINTR)
        die("accept"); /* BUG */
    return fd;
}

static void Free(Conn *c)
{
    if (c != NULL)
        free(c->buf);
    free(c);
}

static void enter(int fd)
{
    Conn *c = calloc(1, sizeof(*c));

    if (c == NULL || last == MAX - 1 || (c->buf = malloc(SIZE)) == NULL ||
        fcntl(fd, F_SETFL, O_NONBLOCK) == -1) {
        Free(c);
        close(fd);
        return;
    }
    c->fd = fd;
    conns[++last] = c;
}

static void leave(int i)
{
    close(conns[i]->fd);
    Free(conns[i]);
    conns[i] = conns[last--];
}

static int serve(Conn *c)
{
    ssize_t n;

    if (!c->eof && c->len < SIZE) {
        n = read(c->fd, c->buf + c->len, SIZE - c->len);
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
    }
    if (c->off == c->len)
        c->off = c->len = 0;
    return c->eof && c->len == 0 ? -1 : 0;
}

int main(int argc, char *argv[])
{
    int i, fd;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    fds[0].fd = make_listener(argv[1]);
    fds[0].events = POLLIN;
    while (1) {
        for (i = 1; i <= last; i++) {
            fds[i].fd = conns[i]->fd;
            fds[i].events = conns[i]->len > 0 ? POLLOUT : 0;
            if (!conns[i]->eof && conns[i]->len < SIZE)
                fds[i].events |= POLLIN;
        }
        if (poll(fds, last + 1, -1) == -1) {
            if (errno == EINTR)
                continue;
            die("poll");
        }
        for (i = last; i > 0; i--)
            if (fds[i].revents != 0 && serve(conns[i]) == -1)
                leave(i);
        if (fds[0].revents != 0 && (fd = Accept(fds[0].fd)) != -1)
            enter(fd);
    }
}
