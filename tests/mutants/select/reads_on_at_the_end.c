/* Wrong: waits for input after the end, which is there, while output waits.
 * Fails: idle
 * Line: 89
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static int open_port(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        exit(2);
    }
    char *end;
    long port = strtol(argv[1], &end, 10);
    if (end == argv[1] || *end || port < 1 || port > 65535) {
        fprintf(stderr, "port %s: %s\n", argv[1], strerror(EINVAL));
        exit(1);
    }
    int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (s < 0 ||
        setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
        bind(s, (struct sockaddr *)&a, sizeof a) < 0 || listen(s, 128) < 0) {
        fprintf(stderr, "cannot listen: %s\n", strerror(errno));
        exit(1);
    }
    return s;
}

#define BUF  65536
#define MAXC FD_SETSIZE
struct conn {
    char *buf;
    size_t off, len;
    int eof;
};
static struct conn *cs[MAXC];

static void drop(int fd)
{
    free(cs[fd]->buf);
    free(cs[fd]);
    cs[fd] = NULL;
    close(fd);
}

int main(int argc, char **argv)
{
    int s = open_port(argc, argv), max = s, full = 0;
    fcntl(s, F_SETFL, O_NONBLOCK);
    for (;;) {
        fd_set r, w;
        FD_ZERO(&r);
        FD_ZERO(&w);
        if (!full)
            FD_SET(s, &r);
        for (int i = 0; i <= max; i++)
            if (i < MAXC && cs[i]) {
                if (cs[i]->len)
                    FD_SET(i, &w);
                if (cs[i]->len < BUF)
                    FD_SET(i, &r);
            }
        struct timeval tenth = {0, 100000}, *tv = full ? &tenth : NULL;
        if (select(max + 1, &r, &w, NULL, tv) < 0) {
            if (errno != EINTR)
                poll(NULL, 0, 100);
            continue;
        }
        full = 0;
        for (int i = 0; i <= max; i++) {
            if (i >= MAXC || !cs[i])
                continue;
            struct conn *k = cs[i];
            if (FD_ISSET(i, &r)) {
                char *end = k->buf + k->off + k->len;
                size_t room = BUF - k->off - k->len;
                ssize_t n = recv(i, end, room, 0); /* BUG */
                if (n < 0 && errno != EAGAIN && errno != EINTR) {
                    drop(i);
                    continue;
                }
                if (n == 0)
                    k->eof = 1;
                if (n > 0)
                    k->len += n;
            }
            if (k->len) {
                ssize_t n = send(i, k->buf + k->off, k->len, MSG_NOSIGNAL);
                if (n < 0 && errno != EAGAIN && errno != EINTR) {
                    drop(i);
                    continue;
                }
                if (n > 0) {
                    k->len -= n;
                    memmove(k->buf, k->buf + n, k->len);
                }
            }
            if (k->eof && !k->len)
                drop(i);
        }
        if (FD_ISSET(s, &r)) {
            int c = accept4(s, NULL, NULL, SOCK_NONBLOCK);
            if (c < 0) {
                full = errno != EAGAIN && errno != EINTR &&
                       errno != ECONNABORTED && errno != EPROTO;
                continue;
            }
            if (c >= FD_SETSIZE) {
                close(c);
                continue;
            }
            cs[c] = calloc(1, sizeof **cs);
            if (cs[c] && !(cs[c]->buf = malloc(BUF))) {
                free(cs[c]);
                cs[c] = NULL;
            }
            if (!cs[c]) {
                close(c);
                continue;
            }
            if (c > max)
                max = c;
        }
    }
}
