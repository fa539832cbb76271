/* Wrong: a place of the table is made ready for the next connection in part
 *        only: `eof` is taken back when a connection ends in order, but not
 *        when it breaks while its last bytes go out. Who gets its descriptor
 *        next is never read from.
 * Fails: reset
 * Also: sigpipe
 * Line: 38
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#define SIZE 8192

static struct place {
    bool used, eof;
    size_t off, len;
    char buf[SIZE];
} place[FD_SETSIZE];

static int top; /* no used place behind it */

static bool wait_only(int e)
{
    return e == EAGAIN || e == EWOULDBLOCK || e == EINTR;
}

static void hang_up(int fd)
{
    close(fd); /* BUG */
    place[fd].used = false;
    place[fd].off = place[fd].len = 0;
}

static void read_what_is_there(int fd)
{
    struct place *p = &place[fd];

    while (!p->eof && p->len < SIZE) {
        ssize_t n = recv(fd, p->buf + p->len, SIZE - p->len, 0);

        if (n < 0) {
            if (!wait_only(errno))
                hang_up(fd);
            return;
        }
        if (n == 0)
            p->eof = true;
        p->len += (size_t)n;
    }
}

static void write_what_goes(int fd)
{
    struct place *p = &place[fd];

    if (p->off < p->len) {
        ssize_t n = send(fd, p->buf + p->off, p->len - p->off, MSG_NOSIGNAL);

        if (n < 0) {
            if (!wait_only(errno))
                hang_up(fd);
            return;
        }
        p->off += (size_t)n;
    }
    if (p->off < p->len)
        return;
    p->off = p->len = 0;
    if (p->eof) {
        p->eof = false;
        hang_up(fd);
    }
}

static bool take(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

    if (fd < 0)
        return wait_only(errno) || errno == ECONNABORTED || errno == EPROTO;
    if (fd >= FD_SETSIZE) {
        close(fd);
        return true;
    }
    place[fd].used = true;
    if (fd >= top)
        top = fd + 1;
    return true;
}

static int listen_to(const char *text)
{
    struct sockaddr_in sa = {.sin_family = AF_INET};
    int fd, on = 1;
    char *end;
    long port = strtol(text, &end, 10);

    if (end == text || *end != '\0' || port < 1 || port > 65535) {
        errno = EINVAL;
        return -1;
    }
    sa.sin_port = htons((in_port_t)port);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, (struct sockaddr *)&sa, sizeof sa) < 0 ||
        listen(fd, SOMAXCONN) < 0)
        return -1;
    return fd;
}

int main(int argc, char **argv)
{
    bool pause = false;
    int listener;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    listener = listen_to(argv[1]);
    if (listener < 0) {
        fprintf(stderr, "%s: port %s: %s\n", argv[0], argv[1], strerror(errno));
        return 1;
    }
    top = listener + 1;
    for (;;) {
        struct timeval t = {.tv_sec = 0, .tv_usec = 100000};
        fd_set r, w;

        FD_ZERO(&r);
        FD_ZERO(&w);
        if (!pause)
            FD_SET(listener, &r);
        for (int fd = 0; fd < top; fd++) {
            const struct place *p = &place[fd];

            if (p->used && !p->eof && p->len < SIZE)
                FD_SET(fd, &r);
            if (p->used && p->off < p->len)
                FD_SET(fd, &w);
        }
        if (select(top, &r, &w, NULL, pause ? &t : NULL) < 0) {
            if (errno == EINTR)
                continue;
            perror("select");
            return 1;
        }
        for (int fd = 0; fd < top; fd++) {
            if (!place[fd].used)
                continue;
            if (FD_ISSET(fd, &r))
                read_what_is_there(fd);
            if (place[fd].used && (FD_ISSET(fd, &r) || FD_ISSET(fd, &w)))
                write_what_goes(fd);
        }
        pause = FD_ISSET(listener, &r) && !take(listener);
    }
}
