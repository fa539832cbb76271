/* Wrong: each thread gets the address of one and the same variable; the next
 * accept may change it before the thread reads it.
 * Fails: race
 * Also: echo concurrency descriptors shutdown
 * Line: 124
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

static pthread_mutex_t totals_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long total_connections;
static unsigned long total_bytes;

static void *signal_thread(void *arg)
{
    sigset_t *set = arg;
    int sig;

    while (sigwait(set, &sig) != 0)
        ;
    pthread_mutex_lock(&totals_lock);
    printf("served %lu connections, %lu bytes\n", total_connections,
           total_bytes);
    fflush(stdout);
    pthread_mutex_unlock(&totals_lock);
    exit(EXIT_SUCCESS);
}

static void echo(int fd)
{
    char buf[4096];
    ssize_t n;

    while ((n = read(fd, buf, sizeof(buf))) != 0) {
        char *p = buf;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return;
        while (n > 0) {
            ssize_t w = send(fd, p, (size_t)n, MSG_NOSIGNAL);
            if (w < 0 && errno == EINTR)
                continue;
            if (w < 0)
                return;
            p += w;
            n -= w;
            pthread_mutex_lock(&totals_lock);
            total_bytes += (unsigned long)w;
            pthread_mutex_unlock(&totals_lock);
        }
    }
}

static void *client_thread(void *arg)
{
    int fd = *(int *)arg;

    echo(fd);
    close(fd);
    pthread_mutex_lock(&totals_lock);
    total_connections++;
    pthread_mutex_unlock(&totals_lock);
    return NULL;
}

int main(int argc, char **argv)
{
    struct sockaddr_in addr;
    pthread_t tid;
    sigset_t set;
    char *end;
    int listenfd, connfd, rc, opt = 1;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        exit(2);
    }
    long port = strtol(argv[1], &end, 10);
    if (end == argv[1] || *end != '\0' || port < 1 || port > 65535) {
        fprintf(stderr, "port %s: %s\n", argv[1], strerror(EINVAL));
        exit(1);
    }
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    if ((rc = pthread_create(&tid, NULL, signal_thread, &set)) != 0) {
        fprintf(stderr, "pthread_create: %s\n", strerror(rc));
        exit(1);
    }
    pthread_detach(tid);
    listenfd = socket(AF_INET, SOCK_STREAM, 0);
    if (listenfd < 0) {
        perror("socket");
        exit(1);
    }
    memset(&addr, 0, sizeof(addr));
    addr.sin_family = AF_INET;
    addr.sin_port = htons((unsigned short)port);
    addr.sin_addr.s_addr = htonl(INADDR_ANY);
    if (setsockopt(listenfd, SOL_SOCKET, SO_REUSEADDR, &opt, sizeof(opt)) < 0 ||
        bind(listenfd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
        listen(listenfd, 1024) < 0) {
        perror("cannot listen");
        exit(1);
    }
    for (;;) {
        connfd = accept(listenfd, NULL, NULL);
        if (connfd < 0) {
            if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
                poll(NULL, 0, 100);
            continue;
        }
        rc = pthread_create(&tid, NULL, client_thread, &connfd); /* BUG */
        if (rc != 0) {
            close(connfd);
            continue;
        }
        pthread_detach(tid);
    }
}
