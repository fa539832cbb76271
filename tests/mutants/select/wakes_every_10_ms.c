/* Wrong: poll gets a time-out of 10 ms for no reason, so an idle server wakes
 * up a hundred times in a second.
 * Fails: idle
 * Line: 115
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

enum { MAX = 65536, TICK_MS = 10 };

struct client {
    int eof;
    size_t off, len;
    char buf[3333];
};

static struct pollfd pfd[MAX];
static struct client *client[MAX];
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

static short events_for(const struct client *c)
{
    short events = c->len > 0 ? POLLOUT : 0;

    if (!c->eof && c->len < sizeof(c->buf))
        events |= POLLIN;
    return events;
}

static int serve(int fd, struct client *c)
{
    ssize_t n;

    if (events_for(c) & POLLIN) {
        n = read(fd, c->buf + c->len, sizeof(c->buf) - c->len);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -1;
        c->eof = n == 0;
        c->len += n > 0 ? n : 0;
    }
    if (c->len > 0) {
        n = write(fd, c->buf + c->off, c->len - c->off);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -1;
        c->off += n > 0 ? n : 0;
    }
    if (c->off == c->len)
        c->off = c->len = 0;
    return events_for(c) == 0 ? -1 : 0;
}

static void add(int fd)
{
    if (count == MAX || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ||
        (client[count] = calloc(1, sizeof(struct client))) == NULL)
        close(fd);
    else
        pfd[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static void delete (int i)
{
    close(pfd[i].fd);
    free(client[i]);
    count--;
    pfd[i] = pfd[count];
    client[i] = client[count];
}

int main(int argc, char **argv)
{
    int listener, i, fd, ticks_to_rest = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    listener = listen_on(argv[1]);
    for (;;) {
        pfd[0].fd = ticks_to_rest > 0 ? -1 : listener;
        pfd[0].events = POLLIN;
        if (poll(pfd, count, TICK_MS) < 0) { /* BUG */
            if (errno == EINTR)
                continue;
            perror("poll");
            return 1;
        }
        if (ticks_to_rest > 0)
            ticks_to_rest--;
        for (i = count - 1; i > 0; i--) {
            if (pfd[i].revents == 0)
                continue;
            if (serve(pfd[i].fd, client[i]) < 0)
                delete (i);
            else
                pfd[i].events = events_for(client[i]);
        }
        if (pfd[0].revents == 0)
            continue;
        if ((fd = accept(listener, NULL, NULL)) >= 0)
            add(fd);
        else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED &&
                 errno != EPROTO)
            ticks_to_rest = 10;
    }
}
