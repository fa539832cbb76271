/* Wrong: threads are neither joined nor detached; each client leaves a stack
 * behind and the server grows.
 * Fails: leak
 * Line: none (no detach and no join)
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

struct conn {
    int fd;
};

static struct {
    pthread_mutex_t lock;
    unsigned long connections, bytes;
} totals = {.lock = PTHREAD_MUTEX_INITIALIZER};

static volatile sig_atomic_t told_to_stop;

static void handler(int sig)
{
    (void)sig;
    told_to_stop = 1;
}

static void count(unsigned long connections, unsigned long bytes)
{
    pthread_mutex_lock(&totals.lock);
    totals.connections += connections;
    totals.bytes += bytes;
    pthread_mutex_unlock(&totals.lock);
}

static void *worker(void *arg)
{
    struct conn *conn = arg;
    int fd = conn->fd;
    char buf[2048];

    free(conn);
    for (;;) {
        ssize_t n = recv(fd, buf, sizeof buf, 0), done = 0;
        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        while (done < n) {
            ssize_t w = send(fd, buf + done, (size_t)(n - done), MSG_NOSIGNAL);
            if (w == -1 && errno == EINTR)
                continue;
            if (w == -1)
                goto out;
            count(0, (unsigned long)w);
            done += w;
        }
    }
out:
    close(fd);
    count(1, 0);
    return NULL;
}

static void start_worker(int fd)
{
    sigset_t both, old;
    pthread_t thread;
    struct conn *conn = malloc(sizeof *conn);

    if (conn == NULL) {
        close(fd);
        return;
    }
    conn->fd = fd;
    sigemptyset(&both);
    sigaddset(&both, SIGINT);
    sigaddset(&both, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &both, &old); /* the thread inherits it */
    if (pthread_create(&thread, NULL, worker, conn) != 0) {
        free(conn);
        close(fd);
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static int make_listener(const char *arg)
{
    struct sockaddr_in addr;
    char *end;
    int on = 1, fd = -1;
    long port = strtol(arg, &end, 10);

    errno = EINVAL;
    if (end == arg || *end != '\0' || port < 1 || port > 65535)
        return -1;
    memset(&addr, 0, sizeof addr);
    addr.sin_family = AF_INET;
    addr.sin_port = htons((in_port_t)port);
    addr.sin_addr.s_addr = htonl(INADDR_ANY);
    if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == -1)
        return -1;
    if (bind(fd, (struct sockaddr *)&addr, sizeof addr) == -1)
        return -1;
    return listen(fd, SOMAXCONN) == -1 ? -1 : fd;
}

int main(int argc, char **argv)
{
    struct sigaction sa;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    memset(&sa, 0, sizeof sa);
    sa.sa_handler = handler; /* no SA_RESTART: accept() shall return */
    sigemptyset(&sa.sa_mask);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    int listener = make_listener(argv[1]);
    if (listener == -1) {
        fprintf(stderr, "cannot listen on %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    while (!told_to_stop) {
        int fd = accept(listener, NULL, NULL);
        if (fd >= 0)
            start_worker(fd);
        else if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
            poll(NULL, 0, 100);
    }
    close(listener);
    pthread_mutex_lock(&totals.lock);
    printf("served %lu connections, %lu bytes\n", totals.connections,
           totals.bytes);
    fflush(stdout);
    pthread_mutex_unlock(&totals.lock);
    exit(0);
}
