/* Right: a thread accepts until main, in sigwait(), cancels it; a semaphore
 * guards the totals; a key's destructor closes and counts a connection. */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static sem_t guard;
static unsigned long served, echoed;
static pthread_key_t connection;
static int listener;

static void count(unsigned long connections, unsigned long bytes)
{
    while (sem_wait(&guard) < 0)
        ; /* interrupted */
    served += connections;
    echoed += bytes;
    sem_post(&guard);
}

static void hang_up(void *value)
{
    count(1, 0);
    close((int)(intptr_t)value - 1); /* NULL would be no value */
}

static void *echo(void *value)
{
    int fd = (int)(intptr_t)value - 1;
    char buf[5000];
    ssize_t n;

    pthread_detach(pthread_self());
    if (pthread_setspecific(connection, value) != 0) {
        hang_up(value);
        return NULL;
    }
    while ((n = recv(fd, buf, sizeof buf, 0)) != 0) {
        if (n < 0 && errno != EINTR)
            return NULL;
        for (char *p = buf; n > 0;) {
            ssize_t done = send(fd, p, (size_t)n, MSG_NOSIGNAL);

            if (done < 0 && errno != EINTR)
                return NULL;
            if (done > 0) {
                count(0, (unsigned long)done);
                p += done;
                n -= done;
            }
        }
    }
    return NULL;
}

static void close_listener(void *unused)
{
    (void)unused;
    close(listener);
}

static void *accept_all(void *unused)
{
    pthread_cleanup_push(close_listener, NULL);
    for (;;) {
        pthread_t t;
        int rc, fd = accept(listener, NULL, NULL);

        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                errno == ENOMEM)
                usleep(100000); /* may be cancelled, too */
            continue;
        }
        rc = pthread_create(&t, NULL, echo, (void *)(intptr_t)(fd + 1));
        if (rc != 0) {
            fprintf(stderr, "pthread_create: %s\n", strerror(rc));
            close(fd);
        }
    }
    pthread_cleanup_pop(1);
    return unused;
}

static int listen_on(const char *text)
{
    struct sockaddr_in addr = {.sin_family = AF_INET};
    char *end;
    long port = strtol(text, &end, 10);
    int on = 1;

    if (end == text || *end != '\0' || port < 1 || port > 65535) {
        errno = EINVAL;
        return -1;
    }
    addr.sin_port = htons((in_port_t)port);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 ||
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(listener, (struct sockaddr *)&addr, sizeof addr) < 0)
        return -1;
    return listen(listener, SOMAXCONN);
}

int main(int argc, char **argv)
{
    sigset_t stop;
    pthread_t acceptor;
    int sig, rc;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
    sem_init(&guard, 0, 1);
    if ((rc = pthread_key_create(&connection, hang_up)) != 0 ||
        (rc = listen_on(argv[1]) < 0 ? errno : 0) != 0 ||
        (rc = pthread_create(&acceptor, NULL, accept_all, NULL)) != 0) {
        fprintf(stderr, "%s: %s\n", argv[1], strerror(rc));
        return 1;
    }
    sigwait(&stop, &sig);
    pthread_cancel(acceptor);
    pthread_join(acceptor, NULL);
    while (sem_wait(&guard) < 0)
        ;
    printf("served %lu connections, %lu bytes\n", served, echoed);
    fflush(stdout);
    _exit(0); /* whoever still echoes cannot count any more */
}
