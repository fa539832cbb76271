/* Wrong: select is always asked whether a client can be written to, which is
 * nearly always so: one idle client makes the server spin.
 * Fails: idle
 * Also: accept
 * Line: 122
 * Quick: no
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

static struct {
    int open, eof;
    int start, end;
    char buf[3000];
} c[FD_SETSIZE];

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

static void bye(int fd)
{
    close(fd);
    c[fd].open = 0;
}

static int fatal(ssize_t n)
{
    return n == -1 && errno != EAGAIN && errno != EINTR;
}

static void on_readable(int fd)
{
    ssize_t n = read(fd, c[fd].buf + c[fd].end, sizeof(c[fd].buf) - c[fd].end);

    if (n > 0)
        c[fd].end += n;
    if (n == 0)
        c[fd].eof = 1;
    if (fatal(n))
        bye(fd);
}

static void on_writable(int fd)
{
    ssize_t n = 0;

    if (c[fd].start < c[fd].end)
        n = write(fd, c[fd].buf + c[fd].start, c[fd].end - c[fd].start);
    if (n > 0)
        c[fd].start += n;
    if (c[fd].start == c[fd].end)
        c[fd].start = c[fd].end = 0;
    if (fatal(n) || (c[fd].eof && c[fd].end == 0))
        bye(fd);
}

int main(int argc, char *argv[])
{
    int s, fd, i, slow = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    s = make_listener(argv[1]);
    for (;;) {
        struct timeval tv = {0, 100000}, *rest = slow ? &tv : NULL;
        fd_set rd, wr;

        FD_ZERO(&rd);
        FD_ZERO(&wr);
        if (!slow)
            FD_SET(s, &rd);
        for (i = 0; i < FD_SETSIZE; i++) {
            if (!c[i].open)
                continue;
            if (!c[i].eof && c[i].end < (int)sizeof(c[i].buf))
                FD_SET(i, &rd);
            FD_SET(i, &wr);
        }
        if (select(FD_SETSIZE, &rd, &wr, NULL, rest) == -1) { /* BUG */
            if (errno == EINTR)
                continue;
            die("select");
        }
        slow = 0;
        for (i = 0; i < FD_SETSIZE; i++) {
            if (c[i].open && FD_ISSET(i, &rd))
                on_readable(i);
            if (c[i].open && FD_ISSET(i, &wr))
                on_writable(i);
        }
        if (!FD_ISSET(s, &rd))
            continue;
        if ((fd = accept(s, NULL, NULL)) == -1) {
            slow = errno != EAGAIN && errno != EINTR && errno != ECONNABORTED &&
                   errno != EPROTO;
        } else if (fd >= FD_SETSIZE || fcntl(fd, F_SETFL, O_NONBLOCK) == -1) {
            close(fd);
        } else {
            c[fd].open = 1;
            c[fd].eof = c[fd].start = c[fd].end = 0;
        }
    }
}
