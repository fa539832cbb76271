/* Wrong: has room for 64 clients, and writes past its tables at the next.
 * Fails: concurrency
 * Also: memory
 * Line: none (what is missing)
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <error.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define PLACES 64

struct echo {
    char *next, *last; /* what is owed: all between them */
    char store[1024];
};

static struct {
    struct echo *owed[PLACES];
    struct pollfd wait[1 + PLACES]; /* the listener, then the clients */
} table;
static nfds_t clients;

/* What is worth no more than another try. */
static int harmless(int e)
{
    return e == EAGAIN || e == EINTR || e == ECONNABORTED || e == EPROTO;
}

static void admit(struct pollfd *door)
{
    int fd = accept4(door->fd, NULL, NULL, SOCK_NONBLOCK);

    if (fd < 0) {
        door->events = harmless(errno) ? POLLIN : 0;
        return;
    }
    struct echo *e = malloc(sizeof *e);
    if (e == NULL) {
        close(fd);
        return;
    }
    e->next = e->last = e->store;
    table.owed[clients++] = e;
    table.wait[clients].fd = fd;
    table.wait[clients].events = POLLIN;
}

/* 0: the connection is at its end */
static int carry(struct pollfd *p, struct echo *e)
{
    ssize_t n;

    if (p->events == POLLIN) {
        n = recv(p->fd, e->store, sizeof e->store, 0);
        if (n > 0) {
            e->next = e->store;
            e->last = e->store + n;
            p->events = POLLOUT;
        }
    } else {
        n = send(p->fd, e->next, (size_t)(e->last - e->next), MSG_NOSIGNAL);
        if (n > 0 && (e->next += n) == e->last)
            p->events = POLLIN;
    }
    return n > 0 || (n < 0 && harmless(errno));
}

static void dismiss(nfds_t k)
{
    close(table.wait[k + 1].fd);
    free(table.owed[k]);
    table.owed[k] = table.owed[--clients];
    table.wait[k + 1] = table.wait[clients + 1];
}

int main(int argc, char **argv)
{
    struct sockaddr_in all = {.sin_family = AF_INET};
    struct pollfd *door = &table.wait[0];
    char *tail = "";

    if (argc != 2)
        error(2, 0, "usage: select PORT");
    unsigned long port = strtoul(argv[1], &tail, 10);
    if (tail == argv[1] || *tail != '\0' || port > 0xffff)
        error(1, EINVAL, "%s", argv[1]);
    all.sin_port = htons((unsigned short)port);
    door->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (door->fd < 0 ||
        setsockopt(door->fd, SOL_SOCKET, SO_REUSEADDR, &(int){1},
                   sizeof(int)) != 0 ||
        bind(door->fd, (void *)&all, sizeof all) != 0 ||
        listen(door->fd, SOMAXCONN) != 0)
        error(1, errno, "port %s", argv[1]);
    door->events = POLLIN;
    for (;;) {
        int found = poll(table.wait, clients + 1, door->events ? -1 : 100);
        door->events = POLLIN;
        if (found <= 0)
            continue;
        for (nfds_t k = clients; k-- > 0;)
            if (table.wait[k + 1].revents &&
                !carry(&table.wait[k + 1], table.owed[k]))
                dismiss(k);
        if (door->revents)
            admit(door);
    }
}
