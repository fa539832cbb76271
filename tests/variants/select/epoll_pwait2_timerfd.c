/* Right: edge-triggered epoll_pwait2(), a ready list, a timerfd for the pause
 * after a shortage; connections in a static arena with a free list.
 * Quick: no */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { MOST = 2048, LISTENER = MOST, TIMER };

static struct conn {
    int fd, from, to;
    bool in, out, queued; /* can be read, can be written */
    struct conn *next;
    char data[16384];
} arena[MOST], *unused, *ready;
static int ep, timer, listener;

static int check(int result, const char *what)
{
    if (result != -1)
        return result;
    perror(what);
    exit(1);
}

static int watch(int fd, uint32_t events, uint32_t number)
{
    struct epoll_event ev = {events | EPOLLET, {.u32 = number}};

    return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
}

static void push(struct conn **list, struct conn *c)
{
    c->next = *list;
    *list = c;
}

static void take_all(void)
{
    const struct itimerspec tenth = {.it_value.tv_nsec = 100000000};

    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        struct conn *c = unused;

        if (fd != -1) {
            if (!c || watch(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP, c - arena)) {
                close(fd);
                continue;
            }
            unused = c->next;
            *c = (struct conn){.fd = fd};
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO) {
            timerfd_settime(timer, 0, &tenth, NULL);
            return;
        }
    }
}

/* One call; false: that was its end. */
static bool turn(struct conn *c)
{
    bool owes = c->from < c->to, *can = owes ? &c->out : &c->in;
    ssize_t n =
        owes ? send(c->fd, c->data + c->from, c->to - c->from, MSG_NOSIGNAL)
             : recv(c->fd, c->data, sizeof c->data, 0);

    if (n == -1 && errno == EAGAIN)
        *can = false;
    else if (n == -1)
        return errno == EINTR;
    else if (owes)
        c->from += n;
    else
        c->from = 0, c->to = n;
    return owes || n != 0;
}

static void notice(uint32_t number, uint32_t events)
{
    uint64_t times;

    if (number == LISTENER ||
        (number == TIMER && read(timer, &times, sizeof times) > 0))
        take_all();
    if (number >= MOST)
        return;
    struct conn *c = &arena[number];
    c->in |= (events & ~(uint32_t)EPOLLOUT) != 0;
    c->out |= (events & ~(uint32_t)(EPOLLIN | EPOLLRDHUP)) != 0;
    if (!c->queued)
        push(&ready, c);
    c->queued = true;
}

int main(int argc, char **argv)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    struct epoll_event got[64];
    char *end;

    if (argc != 2)
        return fprintf(stderr, "usage: %s PORT\n", argv[0]), 2;
    long port = strtol(argv[1], &end, 10);
    errno = EINVAL;
    check(end == argv[1] || *end || port < 0 || port > 65535 ? -1 : 0, "port");
    a.sin_port = htons((uint16_t)port);
    listener = check(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), "socket");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    check(bind(listener, (struct sockaddr *)&a, sizeof a), "bind");
    check(listen(listener, SOMAXCONN), "listen");
    ep = check(epoll_create1(0), "epoll_create1");
    timer = check(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), "timerfd");
    check(watch(listener, EPOLLIN, LISTENER), "epoll_ctl");
    check(watch(timer, EPOLLIN, TIMER), "epoll_ctl");
    for (int i = MOST; i-- > 0;)
        push(&unused, &arena[i]);
    for (;;) {
        int n = epoll_pwait2(ep, got, 64, ready ? &(struct timespec){0} : NULL,
                             NULL);
        for (int i = 0; i < n; i++)
            notice(got[i].data.u32, got[i].events);
        struct conn *c, *list = ready;
        for (ready = NULL; (c = list);) {
            bool goes_on = turn(c);
            list = c->next;
            if (!goes_on)
                close(c->fd);
            c->queued = goes_on && (c->from < c->to ? c->out : c->in);
            if (!goes_on || c->queued)
                push(goes_on ? &ready : &unused, c);
        }
    }
}
