/* Wrong: accept() is tried again at once while there are no descriptors; the
 * server spins until one is free.
 * Fails: accept
 * Line: 116
 */
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct job {
    int fd;
    pthread_t id;
    struct job *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t some_ended = PTHREAD_COND_INITIALIZER;
static struct job *ended;
static unsigned long connections, bytes;
static int listener = -1;

static void fatal(const char *what, const char *why)
{
    fprintf(stderr, "threaded: %s: %s\n", what, why);
    exit(1);
}

static void open_listener(const char *port)
{
    struct addrinfo hints, *res, *ai;
    int on = 1, rc;
    memset(&hints, 0, sizeof hints);
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    if (strspn(port, "0123456789") != strlen(port) || atol(port) < 1 ||
        atol(port) > 65535)
        fatal(port, gai_strerror(EAI_SERVICE));
    if ((rc = getaddrinfo(NULL, port, &hints, &res)) != 0)
        fatal(port, gai_strerror(rc));
    for (ai = res; ai != NULL; ai = ai->ai_next) {
        int fd = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
        if (fd < 0)
            continue;
        if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
            bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, 64) == 0) {
            listener = fd;
            freeaddrinfo(res);
            return;
        }
        rc = errno;
        close(fd);
        errno = rc;
    }
    fatal(port, strerror(errno));
}

static ssize_t echo_some(int fd, char *buf, size_t size)
{
    ssize_t n, w, at;
    while ((n = read(fd, buf, size)) < 0 && errno == EINTR)
        ;
    for (at = 0; at < n; at += w) {
        while ((w = write(fd, buf + at, (size_t)(n - at))) < 0)
            if (errno != EINTR)
                return -1;
        pthread_mutex_lock(&lock);
        bytes += (unsigned long)w;
        pthread_mutex_unlock(&lock);
    }
    return n;
}

static void *serve(void *arg)
{
    struct job *job = arg;
    char buf[4000];
    while (echo_some(job->fd, buf, sizeof buf) > 0)
        ;
    close(job->fd);
    pthread_mutex_lock(&lock);
    connections++;
    job->id = pthread_self();
    job->next = ended;
    ended = job;
    pthread_cond_signal(&some_ended);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void *join_jobs(void *unused)
{
    for (;;) {
        pthread_mutex_lock(&lock);
        while (ended == NULL)
            pthread_cond_wait(&some_ended, &lock);
        struct job *job = ended;
        ended = job->next;
        pthread_mutex_unlock(&lock);
        pthread_join(job->id, NULL);
        free(job);
    }
    return unused;
}

static void *accept_jobs(void *unused)
{
    for (;;) {
        pthread_t id;
        int fd = accept(listener, NULL, NULL); /* BUG */
        if (fd < 0)
            continue;
        struct job *job = calloc(1, sizeof *job);
        if (job != NULL)
            job->fd = fd;
        if (job == NULL || pthread_create(&id, NULL, serve, job) != 0) {
            free(job);
            close(fd);
        }
    }
    return unused;
}

int main(int argc, char **argv)
{
    sigset_t stops;
    pthread_t acceptor, joiner;
    int sig, rc;
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&stops);
    sigaddset(&stops, SIGINT);
    sigaddset(&stops, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stops, NULL); /* all threads inherit this */
    open_listener(argv[1]);
    if ((rc = pthread_create(&joiner, NULL, join_jobs, NULL)) != 0 ||
        (rc = pthread_create(&acceptor, NULL, accept_jobs, NULL)) != 0)
        fatal("pthread_create", strerror(rc));
    while (sigwait(&stops, &sig) != 0)
        ;
    pthread_mutex_lock(&lock);
    printf("served %lu connections, %lu bytes\n", connections, bytes);
    fflush(stdout);
    pthread_mutex_unlock(&lock);
    return 0;
}
