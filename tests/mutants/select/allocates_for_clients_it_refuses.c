/* Wrong: allocates before it looks whether the client fits into a set, and
 * frees nothing of one that does not.
 * Fails: leak
 * Line: 77
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

struct peer {
    int fd;
    int done; /* it has sent its last byte */
    size_t sent, held;
    char data[4000];
};

static struct peer *peers[FD_SETSIZE];
static int npeers;

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

static int welcome(int listener)
{
    struct peer *p = NULL;
    int fd = accept(listener, NULL, NULL);

    if (fd == -1) {
        switch (errno) {
        case EAGAIN:
        case EINTR:
        case ECONNABORTED:
        case EPROTO:
            return 0;
        default:
            return -1; /* something is short: rest a while */
        }
    }
    p = malloc(sizeof(*p)); /* BUG */
    if (p == NULL || fd >= FD_SETSIZE) {
        close(fd);
        return 0;
    }
    p->fd = fd;
    p->done = 0;
    p->sent = p->held = 0;
    peers[npeers++] = p;
    return 0;
}

/* 0: goes on, -1: the connection is over */
static int receive(struct peer *p)
{
    ssize_t n =
        recv(p->fd, p->data + p->held, sizeof(p->data) - p->held, MSG_DONTWAIT);

    if (n == -1)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    if (n == 0)
        p->done = 1;
    p->held += n;
    return 0;
}

static int give_back(struct peer *p)
{
    ssize_t n;

    if (p->sent < p->held) {
        n = send(p->fd, p->data + p->sent, p->held - p->sent,
                 MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n == -1 && errno != EAGAIN && errno != EINTR)
            return -1;
        p->sent += n > 0 ? n : 0;
    }
    if (p->sent == p->held)
        p->sent = p->held = 0;
    return p->done && p->held == 0 ? -1 : 0;
}

int main(int argc, char *argv[])
{
    fd_set rset, wset;
    int listener, i, maxfd, resting = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    listener = make_listener(argv[1]);
    while (1) {
        struct timeval tv = {0, 100 * 1000};

        FD_ZERO(&rset);
        FD_ZERO(&wset);
        maxfd = listener;
        if (!resting)
            FD_SET(listener, &rset);
        for (i = 0; i < npeers; i++) {
            if (!peers[i]->done && peers[i]->held < sizeof(peers[i]->data))
                FD_SET(peers[i]->fd, &rset);
            if (peers[i]->held > 0)
                FD_SET(peers[i]->fd, &wset);
            if (peers[i]->fd > maxfd)
                maxfd = peers[i]->fd;
        }
        if (select(maxfd + 1, &rset, &wset, NULL, resting ? &tv : NULL) == -1) {
            if (errno == EINTR)
                continue;
            die("select");
        }
        resting = 0;
        for (i = npeers - 1; i >= 0; i--) {
            struct peer *p = peers[i];

            if (!FD_ISSET(p->fd, &rset) && !FD_ISSET(p->fd, &wset))
                continue;
            if ((FD_ISSET(p->fd, &rset) && receive(p) == -1) ||
                give_back(p) == -1) {
                close(p->fd);
                free(p);
                peers[i] = peers[--npeers];
            }
        }
        if (FD_ISSET(listener, &rset))
            resting = welcome(listener) == -1;
    }
}
