/* Wrong: asks for clients all the same while there is no descriptor for one:
 * poll answers at once, and the loop burns the processor.
 * Fails: accept
 * Line: 99
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CLIENTS 200 /* further clients wait in the backlog */

struct client {
    int fd;
    size_t from, to; /* buf[from..to) waits to be sent */
    char buf[4096];
};

static struct client clients[MAX_CLIENTS];
static int count, broken;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int listen_at(const char *arg)
{
    char *end;
    int on = 1;
    long port = strtol(arg, &end, 10);
    if (end == arg || *end || port < 1 || port > 65535) {
        errno = EINVAL;
        die(arg);
    }
    struct sockaddr_in any = {.sin_family = AF_INET,
                              .sin_port = htons((in_port_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0)
        die("socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
        die("setsockopt");
    if (bind(fd, (struct sockaddr *)&any, sizeof any) < 0)
        die("bind");
    if (listen(fd, SOMAXCONN) < 0)
        die("listen");
    return fd;
}

static int again(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* 1: goes on; 0: the client ended it; -1: it broke. */
static int pump(struct client *c)
{
    ssize_t n;
    if (c->from == c->to) {
        n = recv(c->fd, c->buf, sizeof c->buf, 0);
        if (n == 0)
            return 0;
        if (n < 0)
            return again() ? 1 : -1;
        c->from = 0;
        c->to = (size_t)n;
    }
    n = send(c->fd, c->buf + c->from, c->to - c->from, MSG_NOSIGNAL);
    if (n < 0)
        return again() ? 1 : -1;
    c->from += (size_t)n;
    return 1;
}

static void serve_ready(const struct pollfd *ready)
{
    for (int i = count - 1; i >= 0; i--) {
        int state = ready[i].revents == 0 ? 1 : pump(&clients[i]);
        if (state == 1)
            continue;
        close(clients[i].fd);
        clients[i] = clients[--count];
        if (state < 0) {
            printf("broken connections: %d\n", ++broken);
            fflush(stdout);
        }
    }
}

/* 0, or -1 while there is nothing left to accept with. */
static int accept_one(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK); /* BUG */
    if (fd < 0)
        return again() || errno == ECONNABORTED || errno == EPROTO ? 0 : -1;
    clients[count].fd = fd;
    clients[count].from = clients[count].to = 0;
    count++;
    return 0;
}

int main(int argc, char **argv)
{
    struct pollfd set[1 + MAX_CLIENTS];
    int shortage = 0;
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    int listener = listen_at(argv[1]);
    for (;;) {
        int open = count < MAX_CLIENTS;
        set[0] = (struct pollfd){open ? listener : -1, POLLIN, 0};
        for (int i = 0; i < count; i++)
            set[1 + i] = (struct pollfd){
                clients[i].fd,
                clients[i].from == clients[i].to ? POLLIN : POLLOUT, 0};
        if (poll(set, (nfds_t)count + 1, shortage ? 100 : -1) < 0)
            continue;
        shortage = 0;
        serve_ready(set + 1);
        if (set[0].revents != 0)
            shortage = accept_one(listener) < 0;
    }
}
