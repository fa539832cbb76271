/* Wrong: while the buffer of one client is full the server reads from nobody,
 * so a client that does not read stalls all the others.
 * Fails: concurrency
 * Line: 140
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

#define SIZE 65536

struct conn {
    int fd, eof;
    size_t off, len;
    char buf[SIZE];
};

static struct conn *conn[FD_SETSIZE];

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

static int again(int err)
{
    return err == EAGAIN || err == EINTR;
}

static int backlog(void)
{
    for (int fd = 0; fd < FD_SETSIZE; fd++)
        if (conn[fd] != NULL && conn[fd]->len == SIZE)
            return 1;
    return 0;
}

static void quit(int fd)
{
    close(fd);
    free(conn[fd]);
    conn[fd] = NULL;
}

static void receive(int fd)
{
    struct conn *c = conn[fd];
    ssize_t n = recv(fd, c->buf + c->len, SIZE - c->len, 0);

    if (n == -1 && !again(errno))
        quit(fd);
    else if (n == 0)
        c->eof = 1;
    else if (n > 0)
        c->len += n;
}

static void transmit(int fd)
{
    struct conn *c = conn[fd];
    ssize_t n = 0;

    if (c->off < c->len)
        n = send(fd, c->buf + c->off, c->len - c->off, MSG_NOSIGNAL);
    if (n == -1 && !again(errno)) {
        quit(fd);
        return;
    }
    c->off += n > 0 ? n : 0;
    if (c->off == c->len)
        c->off = c->len = 0;
    if (c->eof && c->len == 0)
        quit(fd);
}

int main(int argc, char *argv[])
{
    int listener, fd, scarce = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    listener = make_listener(argv[1]);
    for (;;) {
        struct timeval tv = {0, 100000}, *rest = scarce ? &tv : NULL;
        int full = backlog();
        fd_set rd, wr;

        FD_ZERO(&rd);
        FD_ZERO(&wr);
        if (!scarce)
            FD_SET(listener, &rd);
        for (fd = 0; fd < FD_SETSIZE; fd++) {
            if (conn[fd] == NULL)
                continue;
            if (!conn[fd]->eof && !full)
                FD_SET(fd, &rd);
            if (conn[fd]->len > 0)
                FD_SET(fd, &wr);
        }
        if (select(FD_SETSIZE, &rd, &wr, NULL, rest) == -1) { /* BUG */
            if (errno != EINTR)
                die("select");
            continue;
        }
        scarce = 0;
        for (fd = 0; fd < FD_SETSIZE; fd++) {
            int readable = FD_ISSET(fd, &rd), writable = FD_ISSET(fd, &wr);

            if (conn[fd] != NULL && readable)
                receive(fd);
            if (conn[fd] != NULL && (readable || writable))
                transmit(fd);
        }
        if (!FD_ISSET(listener, &rd))
            continue;
        if ((fd = accept(listener, NULL, NULL)) == -1)
            scarce = !again(errno) && errno != ECONNABORTED && errno != EPROTO;
        else if (fd >= FD_SETSIZE || fcntl(fd, F_SETFL, O_NONBLOCK) == -1 ||
                 (conn[fd] = calloc(1, sizeof(struct conn))) == NULL)
            close(fd);
    }
}
