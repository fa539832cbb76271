/* Wrong: has places for 64 clients at once; the 65th takes the place of
 * another whose descriptor it overwrites.
 * Fails: concurrency
 * Line: 36
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t totals = PTHREAD_MUTEX_INITIALIZER;
static long long all_served, all_bytes;
static int listener, seats[64];
static pthread_attr_t detached;

static void *guest(void *p)
{
    int *seat = p, sock = *seat;
    char cup[6000];
    ssize_t drunk, back = 0;

    while (back >= 0 && (drunk = read(sock, cup, sizeof cup)) > 0)
        for (ssize_t i = 0; i < drunk; i += back) {
            back = send(sock, cup + i, (size_t)(drunk - i), MSG_NOSIGNAL);
            if (back < 0)
                break;
            pthread_mutex_lock(&totals);
            all_bytes += back;
            pthread_mutex_unlock(&totals);
        }
    close(*seat); /* BUG */
    pthread_mutex_lock(&totals);
    all_served++;
    pthread_mutex_unlock(&totals);
    return NULL;
}

/* A thread that takes clients, while main waits for its signals. */
static void *usher(void *arg)
{
    for (unsigned next = 0;; next = (next + 1) % 64) {
        pthread_t id;
        int fd;

        while ((fd = accept(listener, NULL, NULL)) == -1)
            if (errno != ECONNABORTED && errno != EPROTO)
                poll(NULL, 0, 100);
        seats[next] = fd;
        int error = pthread_create(&id, &detached, guest, &seats[next]);
        if (error) {
            fprintf(stderr, "no thread: %s\n", strerror(error));
            close(fd);
        }
    }
    return arg;
}

static int open_at(const char *text)
{
    struct sockaddr_in addr = {0};
    char *behind;
    unsigned long n = strtoul(text, &behind, 10);
    int one = 1;

    errno = EINVAL;
    if (*text == '\0' || *behind != '\0' || n > 65535)
        return -1;
    addr.sin_family = AF_INET;
    addr.sin_addr.s_addr = htonl(INADDR_ANY);
    addr.sin_port = htons((uint16_t)n);
    if ((listener = socket(AF_INET, SOCK_STREAM, 0)) < 0)
        return -1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    return bind(listener, (struct sockaddr *)&addr, sizeof(addr)) < 0
               ? -1
               : listen(listener, 200);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return fprintf(stderr, "usage: %s PORT\n", argv[0]), 2;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
    if (open_at(argv[1]) != 0) {
        fprintf(stderr, "%s: %s: %s\n", argv[0], argv[1], strerror(errno));
        return 1;
    }
    pthread_t id;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    if ((errno = pthread_create(&id, &detached, usher, NULL)) != 0) {
        perror("pthread_create");
        return 1;
    }
    int sig;
    sigwait(&set, &sig);
    pthread_mutex_lock(&totals);
    printf("served %lld connections, %lld bytes\n", all_served, all_bytes);
    fflush(stdout);
    _exit(0);
}
