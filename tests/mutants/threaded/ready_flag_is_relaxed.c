/* Wrong: a flag says that the rest of a struct is ready; it is stored by
 * memory_order_relaxed, which says nothing about the rest.
 * Fails: race
 * Line: 58
 */
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <unistd.h>

struct guest {
    struct guest *next;
    int sock;
    const char *farewell; /* the thread's, until it is `gone` */
    atomic_int gone;
};
static struct guest *guests;
static unsigned gone_guests;
static atomic_ullong echoed;
static volatile sig_atomic_t closing;

static void close_down(int sig)
{
    closing = sig;
}

static void *entertain(void *p)
{
    struct guest *g = p;
    char dish[2500];
    ssize_t in, out = 0;

    do {
        in = recv(g->sock, dish, sizeof dish, 0);
        for (ssize_t left = in; left > 0; left -= out) {
            out = send(g->sock, dish + in - left, left, MSG_NOSIGNAL);
            if (out < 0)
                break;
            atomic_fetch_add_explicit(&echoed, out, memory_order_relaxed);
        }
    } while (in > 0 && out >= 0);
    g->farewell = in == 0 ? "goodbye" : "connection broken";
    close(g->sock);
    atomic_store_explicit(&g->gone, 1, memory_order_relaxed);
    return NULL;
}

static void clear_away(void)
{
    for (struct guest **at = &guests, *g; (g = *at) != NULL;)
        if (atomic_load_explicit(&g->gone, memory_order_acquire)) {
            fprintf(stderr, "%s\n", g->farewell); /* BUG */
            gone_guests++;
            *at = g->next;
            free(g);
        } else {
            at = &g->next;
        }
}

static void welcome(int sock)
{
    struct guest *g = calloc(1, sizeof *g);
    pthread_t t;

    if (g != NULL)
        g->sock = sock;
    if (g == NULL || pthread_create(&t, NULL, entertain, g) != 0) {
        free(g);
        close(sock);
        return;
    }
    pthread_detach(t);
    g->next = guests;
    guests = g;
}

static int open_door(const char *text)
{
    struct sockaddr_in here = {.sin_family = AF_INET};
    int port, size = 0, on = 1;

    errno = EINVAL;
    if (sscanf(text, "%5d%n", &port, &size) < 1 || port >> 16 || text[size])
        err(1, "%s", text);
    here.sin_port = htons((in_port_t)port);
    int door = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (door < 0 ||
        setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
        bind(door, (void *)&here, sizeof here) || listen(door, 100))
        err(1, "%s", text);
    return door;
}

int main(int argc, char **argv)
{
    const struct timespec tenth = {0, 100000000};
    sigset_t before, all;
    fd_set set;

    if (argc != 2)
        errx(2, "usage: %s PORT", *argv);
    signal(SIGINT, close_down);
    signal(SIGTERM, close_down);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int door = open_door(argv[1]);
    FD_ZERO(&set);
    while (!closing) {
        FD_SET(door, &set);
        int n = pselect(door + 1, &set, NULL, NULL, NULL, &before);
        clear_away();
        if (n < 1)
            continue;
        int sock = accept(door, NULL, NULL);
        if (sock >= 0)
            welcome(sock);
        else if (errno != EAGAIN && errno != ECONNABORTED && errno != EPROTO)
            pselect(0, NULL, NULL, NULL, &tenth, &before);
    }
    clear_away();
    printf("served %u connections, %llu bytes\n", gone_guests, echoed);
    return 0;
}
