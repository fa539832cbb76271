/* Wrong: at the end of a client's input it writes once more what waits for it,
 * and closes, however much of that was taken.
 * Fails: echo
 * Line: 72
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX = 8192 };

static struct pollfd pfd[MAX];
static struct out {
    size_t off, len;
    char buf[2048];
} * out[MAX];
static int count = 1;

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

static void drop(int i)
{
    close(pfd[i].fd);
    free(out[i]);
    count--;
    pfd[i] = pfd[count];
    out[i] = out[count];
}

static int serve(int fd, struct out *o)
{
    ssize_t n;

    if (o->len < sizeof(o->buf)) {
        n = recv(fd, o->buf + o->len, sizeof(o->buf) - o->len, 0);
        if (n == 0) {
            send(fd, o->buf + o->off, o->len - o->off, MSG_NOSIGNAL); /* BUG */
            return -1;
        }
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -1;
        o->len += n > 0 ? n : 0;
    }
    if (o->len > 0) {
        n = send(fd, o->buf + o->off, o->len - o->off, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -1;
        o->off += n > 0 ? n : 0;
    }
    if (o->off == o->len)
        o->off = o->len = 0;
    return 0;
}

static int take(int listener)
{
    int fd = accept(listener, NULL, NULL);

    if (fd < 0)
        return passing(errno) ? 0 : -1;
    if (count == MAX || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ||
        (out[count] = calloc(1, sizeof(struct out))) == NULL)
        close(fd);
    else
        pfd[count++].fd = fd;
    return 0;
}

int main(int argc, char **argv)
{
    int i, listener, pause = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    listener = listen_on(argv[1]);
    while (1) {
        pfd[0].fd = pause ? -1 : listener;
        pfd[0].events = POLLIN;
        for (i = 1; i < count; i++) {
            pfd[i].events = out[i]->len < sizeof(out[i]->buf) ? POLLIN : 0;
            if (out[i]->len > 0)
                pfd[i].events |= POLLOUT;
        }
        if (poll(pfd, count, pause ? 100 : -1) < 0) {
            if (errno == EINTR)
                continue;
            perror("poll");
            return 1;
        }
        for (i = count - 1; i > 0; i--)
            if (pfd[i].revents && serve(pfd[i].fd, out[i]) < 0)
                drop(i);
        pause = pfd[0].revents && take(listener) < 0;
    }
}
