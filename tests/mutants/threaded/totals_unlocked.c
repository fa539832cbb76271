/* Wrong: the bytes are added without the lock; threads race on the total.
 * Fails: race
 * Line: 68
 * Quick: yes
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SLOTS 65536 /* far more than there are descriptors */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int table[SLOTS]; /* descriptor + 1; 0: a free slot */
static unsigned long served, echoed;
static int listener;

/* A slot that holds fd, or NULL. */
static int *occupy(int fd)
{
    int *slot = NULL;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < SLOTS && slot == NULL; i++)
        if (table[i] == 0)
            slot = &table[i];
    if (slot != NULL)
        *slot = fd + 1;
    pthread_mutex_unlock(&lock);
    return slot;
}

static int look_up(const int *slot)
{
    pthread_mutex_lock(&lock);
    int fd = *slot - 1;
    pthread_mutex_unlock(&lock);
    return fd;
}

static void vacate(int *slot, unsigned long connections)
{
    pthread_mutex_lock(&lock);
    *slot = 0;
    served += connections;
    pthread_mutex_unlock(&lock);
}

static void *serve(void *slot)
{
    int fd = look_up(slot);
    char buf[4096];
    ssize_t n, w, at;
    while ((n = read(fd, buf, sizeof buf)) != 0) {
        if (n < 0 && errno != EINTR)
            break;
        for (at = 0; at < n; at += w) {
            w = write(fd, buf + at, (size_t)(n - at));
            if (w < 0 && errno != EINTR)
                goto end;
            if (w < 0)
                w = 0;
            echoed += (unsigned long)w; /* BUG */
        }
    }
end:
    close(fd);
    vacate(slot, 1);
    return NULL;
}

static void *accept_all(void *unused)
{
    pthread_attr_t attr;
    pthread_t thread;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) {
            if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
                poll(NULL, 0, 100);
            continue;
        }
        int *slot = occupy(fd);
        if (slot == NULL) {
            close(fd);
        } else if (pthread_create(&thread, &attr, serve, slot) != 0) {
            vacate(slot, 0);
            close(fd);
        }
    }
    return unused;
}

static void fail(const char *what, int error)
{
    fprintf(stderr, "%s: %s\n", what, strerror(error));
    exit(1);
}

static void listen_on(const char *arg)
{
    struct sockaddr_in addr = {.sin_family = AF_INET};
    char *end;
    int on = 1;
    long port = strtol(arg, &end, 10);
    if (end == arg || *end != '\0' || port < 1 || port > 65535)
        fail(arg, EINVAL);
    addr.sin_port = htons((in_port_t)port);
    addr.sin_addr.s_addr = htonl(INADDR_ANY);
    if ((listener = socket(AF_INET, SOCK_STREAM, 0)) < 0)
        fail("socket", errno);
    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
        fail("setsockopt", errno);
    if (bind(listener, (struct sockaddr *)&addr, sizeof addr) < 0)
        fail("bind", errno);
    if (listen(listener, 256) < 0)
        fail("listen", errno);
}

int main(int argc, char **argv)
{
    pthread_t acceptor;
    sigset_t set;
    int sig, rc;
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGPIPE); /* blocked too: write() fails with EPIPE */
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    sigdelset(&set, SIGPIPE);
    listen_on(argv[1]);
    if ((rc = pthread_create(&acceptor, NULL, accept_all, NULL)) != 0)
        fail("pthread_create", rc);
    if ((rc = sigwait(&set, &sig)) != 0)
        fail("sigwait", rc);
    pthread_mutex_lock(&lock);
    printf("served %lu connections, %lu bytes\n", served, echoed);
    pthread_mutex_unlock(&lock);
    return 0;
}
