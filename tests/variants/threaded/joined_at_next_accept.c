/* Right: ended threads put themselves on a list that the next accept joins.
 * Quick: no */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct client {
    int fd;
    pthread_t thread;
    struct client *next;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct client *ended; /* these three under mutex */
static long n_conns, n_bytes;

static volatile sig_atomic_t quit;

static void ask_to_quit(int sig)
{
    (void)sig;
    quit = 1;
}

static int echo(int fd)
{
    char buf[4096];
    ssize_t n = read(fd, buf, sizeof buf), at = 0;
    if (n <= 0)
        return n < 0 && errno == EINTR;
    while (at < n) {
        ssize_t w = write(fd, buf + at, (size_t)(n - at));
        if (w < 0 && errno != EINTR)
            return 0;
        if (w > 0) {
            pthread_mutex_lock(&mutex);
            n_bytes += w;
            pthread_mutex_unlock(&mutex);
            at += w;
        }
    }
    return 1;
}

static void *serve(void *arg)
{
    struct client *c = arg;
    while (echo(c->fd))
        ;
    close(c->fd);
    pthread_mutex_lock(&mutex);
    n_conns++;
    c->thread = pthread_self();
    c->next = ended;
    ended = c;
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void join_ended(void)
{
    pthread_mutex_lock(&mutex);
    struct client *c = ended;
    ended = NULL;
    pthread_mutex_unlock(&mutex);
    while (c != NULL) {
        struct client *next = c->next;
        pthread_join(c->thread, NULL);
        free(c);
        c = next;
    }
}

static void begin(int fd)
{
    pthread_t thread;
    struct client *c = malloc(sizeof *c);
    if (c == NULL) {
        close(fd);
        return;
    }
    c->fd = fd;
    if (pthread_create(&thread, NULL, serve, c) != 0) {
        close(fd);
        free(c);
    }
}

static int open_server(const char *name)
{
    char *end;
    int s, on = 1;
    long port = strtol(name, &end, 10);
    if (end == name || *end || port < 1 || port > 65535) {
        fprintf(stderr, "port %s: %s\n", name, strerror(EINVAL));
        exit(1);
    }
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((in_port_t)port)};
    if ((s = socket(AF_INET, SOCK_STREAM, 0)) < 0 ||
        setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(s, (struct sockaddr *)&a, sizeof a) < 0 || listen(s, 128) < 0) {
        fprintf(stderr, "port %s: %s\n", name, strerror(errno));
        exit(1);
    }
    return s;
}

int main(int argc, char **argv)
{
    struct sigaction sa = {.sa_handler = ask_to_quit};
    sigset_t set;
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sa.sa_mask = set;
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    signal(SIGPIPE, SIG_IGN);
    int s = open_server(argv[1]);
    while (!quit) {
        int fd = accept(s, NULL, NULL);
        int error = errno;
        join_ended();
        if (fd >= 0) {
            pthread_sigmask(SIG_BLOCK, &set, NULL);
            begin(fd);
            pthread_sigmask(SIG_UNBLOCK, &set, NULL);
        } else if (error != EINTR && error != ECONNABORTED && error != EPROTO) {
            nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
        }
    }
    pthread_mutex_lock(&mutex);
    printf("served %ld connections, %ld bytes\n", n_conns, n_bytes);
    pthread_mutex_unlock(&mutex);
    return 0;
}
