/* Wrong: nfds follows the client that was accepted last; when that one took
 * over a low descriptor, the clients above it are no longer watched.
 * Fails: concurrency
 * Line: 130
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

struct state {
    int eof;
    size_t off, len;
    char buf[2000];
};

static struct state *state[FD_SETSIZE];

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

static int Select(int n, fd_set *r, fd_set *w, struct timeval *tv)
{
    int ready = select(n, r, w, NULL, tv);

    if (ready == -1 && errno != EINTR)
        die("select");
    return ready;
}

static void Close(int fd)
{
    close(fd);
    free(state[fd]);
    state[fd] = NULL;
}

static void serve(int fd, struct state *s, int readable)
{
    ssize_t n;

    if (readable) {
        if ((n = read(fd, s->buf + s->len, sizeof(s->buf) - s->len)) > 0)
            s->len += n;
        else if (n == 0)
            s->eof = 1;
        else if (errno != EAGAIN && errno != EINTR) {
            Close(fd);
            return;
        }
    }
    if (s->off < s->len) {
        if ((n = write(fd, s->buf + s->off, s->len - s->off)) >= 0)
            s->off += n;
        else if (errno != EAGAIN && errno != EINTR) {
            Close(fd);
            return;
        }
    }
    if (s->off == s->len)
        s->off = s->len = 0;
    if (s->eof && s->len == 0)
        Close(fd);
}

int main(int argc, char *argv[])
{
    int listenfd, connfd, nfds, i, rest = 0;
    fd_set rset, wset;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    listenfd = make_listener(argv[1]);
    nfds = listenfd + 1;
    for (;;) {
        struct timeval tenth = {0, 100000};

        FD_ZERO(&rset);
        FD_ZERO(&wset);
        if (!rest)
            FD_SET(listenfd, &rset);
        for (i = 0; i < nfds; i++) {
            if (state[i] && !state[i]->eof &&
                state[i]->len < sizeof(state[i]->buf))
                FD_SET(i, &rset);
            if (state[i] && state[i]->len > 0)
                FD_SET(i, &wset);
        }
        if (Select(nfds, &rset, &wset, rest ? &tenth : NULL) == -1) /* BUG */
            continue;
        rest = 0;
        for (i = 0; i < nfds; i++)
            if (state[i] && (FD_ISSET(i, &rset) || FD_ISSET(i, &wset)))
                serve(i, state[i], FD_ISSET(i, &rset));
        if (!FD_ISSET(listenfd, &rset))
            continue;
        connfd = accept(listenfd, NULL, NULL);
        if (connfd == -1) {
            rest = errno != EAGAIN && errno != EINTR && errno != ECONNABORTED &&
                   errno != EPROTO;
            continue;
        }
        if (connfd >= FD_SETSIZE || fcntl(connfd, F_SETFL, O_NONBLOCK) == -1 ||
            (state[connfd] = calloc(1, sizeof(struct state))) == NULL) {
            close(connfd);
            continue;
        }
        nfds = connfd + 1;
    }
}
