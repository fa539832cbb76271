/* Right: a thread waits for the signal and shuts the listening socket down,
 * which ends main's accept() with EINVAL; the old __sync functions count. */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int listener;
static sigset_t stop;
static long served, echoed;

static void *wait_for_stop(void *unused)
{
    while (sigwaitinfo(&stop, NULL) < 0)
        continue; /* stopped, and going on */
    shutdown(listener, SHUT_RDWR);
    return unused;
}

static void *echo(void *arg)
{
    int fd = *(int *)arg;
    char buf[5000];
    ssize_t n, done = 0;

    free(arg);
    while (done >= 0 && (n = read(fd, buf, sizeof buf)) != 0) {
        if (n < 0 && errno != EINTR)
            break;
        for (char *p = buf; n > 0;) {
            done = send(fd, p, (size_t)n, MSG_NOSIGNAL);
            if (done < 0 && errno != EINTR)
                break;
            if (done > 0) {
                __sync_fetch_and_add(&echoed, done);
                p += done;
                n -= done;
            }
        }
    }
    __sync_fetch_and_add(&served, 1);
    close(fd);
    return NULL;
}

static void start(int fd)
{
    int *arg = malloc(sizeof *arg);
    pthread_t t;
    int rc = ENOMEM;

    if (arg != NULL) {
        *arg = fd;
        rc = pthread_create(&t, NULL, echo, arg);
    }
    if (rc == 0) {
        pthread_detach(t);
        return;
    }
    fprintf(stderr, "no thread: %s\n", strerror(rc));
    free(arg);
    close(fd);
}

int main(int argc, char **argv)
{
    struct sockaddr_in addr = {.sin_family = AF_INET};
    char *end;
    int on = 1;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    long port = strtol(argv[1], &end, 10);
    addr.sin_port = htons((in_port_t)port);
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
    errno = EINVAL;
    if (*end != '\0' || port < 1 || port > 65535 ||
        (listener = socket(AF_INET, SOCK_STREAM, 0)) < 0 ||
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(listener, (struct sockaddr *)&addr, sizeof addr) < 0 ||
        listen(listener, SOMAXCONN) < 0) {
        fprintf(stderr, "port %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    pthread_t waiter;
    int rc = pthread_create(&waiter, NULL, wait_for_stop, NULL);
    if (rc != 0) {
        fprintf(stderr, "no thread: %s\n", strerror(rc));
        return 1;
    }
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd >= 0)
            start(fd);
        else if (errno == EINVAL)
            break;
        else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                 errno == ENOMEM)
            usleep(100000);
    }
    pthread_join(waiter, NULL);
    printf("served %ld connections, %ld bytes\n",
           __sync_fetch_and_add(&served, 0), __sync_fetch_and_add(&echoed, 0));
    return 0;
}
