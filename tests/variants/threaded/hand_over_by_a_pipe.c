/* Right: each thread has a struct, and at its end sends the pointer through a
 * pipe to main, which adds it up and frees it.
 * Quick: no */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct errand {
    int sock, broke;
    unsigned long long carried;
};

static int exits[2];              /* the pipe */
static atomic_ullong all_carried; /* by those under way, too */

static void *run(void *arg)
{
    struct errand *e = arg;
    char bag[7000];
    ssize_t n, at, sent;

    while (!e->broke && (n = recv(e->sock, bag, sizeof bag, 0)) != 0)
        for (at = 0, e->broke = n < 0; at < n && !e->broke; at += sent) {
            sent = send(e->sock, bag + at, (size_t)(n - at), MSG_NOSIGNAL);
            e->broke = sent < 0;
            if (sent > 0) {
                e->carried += (size_t)sent;
                all_carried += (size_t)sent;
            }
        }
    close(e->sock);
    if (write(exits[1], &e, sizeof e) != sizeof e)
        perror("pipe");
    return NULL;
}

static unsigned long come_back(void)
{
    unsigned long how_many = 0;
    struct errand *e;

    for (; read(exits[0], &e, sizeof e) == sizeof e; how_many++) {
        fprintf(stderr, "%llu bytes%s\n", e->carried, e->broke ? "!" : "");
        free(e);
    }
    return how_many;
}

static void send_out(int sock)
{
    struct errand *e = calloc(1, sizeof *e);
    pthread_t id;

    if (e) {
        e->sock = sock;
        if (pthread_create(&id, NULL, run, e) == 0) {
            pthread_detach(id);
            return;
        }
    }
    free(e);
    close(sock);
}

static const char *try_listen(const char *port, int *sock)
{
    struct addrinfo *a, h = {.ai_socktype = SOCK_STREAM, .ai_family = AF_INET};
    int e = EAI_SERVICE;

    h.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    if (strspn(port, "0123456789") > 0 && atol(port) < 1 << 16)
        e = getaddrinfo(NULL, port, &h, &a);
    if (e)
        return e == EAI_SYSTEM ? strerror(errno) : gai_strerror(e);
    *sock = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK, a->ai_protocol);
    e = *sock < 0 ||
        setsockopt(*sock, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) ||
        bind(*sock, a->ai_addr, a->ai_addrlen) < 0 ||
        listen(*sock, SOMAXCONN) < 0;
    freeaddrinfo(a);
    return e ? strerror(errno) : NULL;
}

int main(int argc, char **argv)
{
    enum { STOP, PIPE, DOOR };
    struct pollfd on[3] = {{.events = POLLIN}, {.events = POLLIN}};
    unsigned long served = 0;
    const char *why;
    sigset_t s;

    if (argc != 2)
        errx(2, "usage: %s PORT", argv[0]);
    sigemptyset(&s);
    sigaddset(&s, SIGTERM);
    sigaddset(&s, SIGINT);
    sigprocmask(SIG_BLOCK, &s, NULL);
    if ((why = try_listen(argv[1], &on[DOOR].fd)))
        errx(1, "%s: %s", argv[1], why);
    if ((on[STOP].fd = signalfd(-1, &s, 0)) < 0 || pipe(exits) < 0)
        err(1, NULL);
    fcntl(on[PIPE].fd = exits[0], F_SETFL, O_NONBLOCK);
    on[DOOR].events = POLLIN;
    for (;;) {
        int found = poll(on, 3, on[DOOR].events ? -1 : 100);
        on[DOOR].events = POLLIN;
        served += come_back();
        if (on[STOP].revents)
            break;
        if (found < 1 || on[DOOR].revents == 0)
            continue;
        int sock = accept(on[DOOR].fd, NULL, NULL);
        if (sock != -1)
            send_out(sock);
        else if (errno != EAGAIN && errno != ECONNABORTED && errno != EPROTO)
            on[DOOR].events = 0;
    }
    printf("served %lu connections, %llu bytes\n", served, all_carried);
    return 0;
}
