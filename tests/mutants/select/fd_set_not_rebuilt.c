/* Wrong: the sets are rebuilt only when something changed, so select goes on
 * with what it left in them, and whoever was quiet is no longer watched.
 * Fails: concurrency
 * Also: accept reset sigpipe memory descriptors
 * Line: 121
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

static struct client {
    int open, eof;
    size_t off, len;
    char buf[4096];
} client[FD_SETSIZE];

static fd_set rd, wr;
static int max;

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

/* accept(2), ERRORS: the ones that pass by themselves */
static int passing(int err)
{
    return err == EAGAIN || err == EINTR || err == ECONNABORTED ||
           err == EPROTO;
}

static int reads(const struct client *c)
{
    return c->open && !c->eof && c->len < sizeof(c->buf);
}

static int writes(const struct client *c)
{
    return c->open && c->off < c->len;
}

static void build_sets(int listener, int paused)
{
    FD_ZERO(&rd);
    FD_ZERO(&wr);
    max = listener;
    if (!paused)
        FD_SET(listener, &rd);
    for (int fd = 0; fd < FD_SETSIZE; fd++) {
        if (reads(&client[fd]))
            FD_SET(fd, &rd);
        if (writes(&client[fd]))
            FD_SET(fd, &wr);
        if (client[fd].open && fd > max)
            max = fd;
    }
}

static int serve(int fd, struct client *c)
{
    ssize_t n;

    if (FD_ISSET(fd, &rd) && reads(c)) {
        n = recv(fd, c->buf + c->len, sizeof(c->buf) - c->len, 0);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -1;
        if (n == 0)
            c->eof = 1;
        c->len += n > 0 ? n : 0;
    }
    if (writes(c)) {
        n = send(fd, c->buf + c->off, c->len - c->off, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -1;
        c->off += n > 0 ? n : 0;
    }
    if (c->off == c->len)
        c->off = c->len = 0;
    return c->eof && c->len == 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
    int listener, fd, changed = 1, paused = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    listener = listen_on(argv[1]);
    for (;;) {
        struct timeval tv = {0, 100000}, *rest = paused ? &tv : NULL;

        if (changed)
            build_sets(listener, paused);
        if (select(max + 1, &rd, &wr, NULL, rest) < 0) { /* BUG */
            if (errno == EINTR)
                continue;
            perror("select");
            return 1;
        }
        changed = paused;
        for (fd = 0; fd <= max; fd++) {
            struct client *c = &client[fd];
            int r = reads(c), w = writes(c);

            if (!c->open || (!FD_ISSET(fd, &rd) && !FD_ISSET(fd, &wr)))
                continue;
            if (serve(fd, c) < 0) {
                close(fd);
                c->open = 0;
            }
            changed |= r != reads(c) || w != writes(c);
        }
        if (!paused && FD_ISSET(listener, &rd)) {
            fd = accept(listener, NULL, NULL);
            if (fd < 0) {
                changed |= paused = !passing(errno);
            } else if (fd >= FD_SETSIZE || fcntl(fd, F_SETFL, O_NONBLOCK)) {
                close(fd);
            } else {
                client[fd].open = changed = 1;
                client[fd].eof = 0;
                client[fd].off = client[fd].len = 0;
            }
        } else {
            paused = 0;
        }
    }
}
