/* Wrong: a connection over which nothing came is not counted when it
 * ends.
 * Fails: shutdown
 * Line: none (what is missing)
 */
#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <unistd.h>

static struct {
    pthread_mutex_t m;
    uint64_t clients, bytes;
} sum = {.m = PTHREAD_MUTEX_INITIALIZER};

static void account(uint64_t *what, ssize_t n)
{
    pthread_mutex_lock(&sum.m);
    *what += (uint64_t)n;
    pthread_mutex_unlock(&sum.m);
}

/* All n bytes, or 0. */
static int give_back(int fd, const char *at, ssize_t n)
{
    while (n > 0) {
        ssize_t gone = send(fd, at, (size_t)n, MSG_NOSIGNAL);
        if (gone < 0)
            return 0;
        account(&sum.bytes, gone);
        at += gone;
        n -= gone;
    }
    return 1;
}

static void *attend(void *number)
{
    int fd = (int)(intptr_t)number, talked = 0;
    char page[4096];

    for (ssize_t n; (n = recv(fd, page, sizeof page, 0)) > 0; talked = 1)
        if (!give_back(fd, page, n))
            break;
    close(fd);
    if (talked)
        account(&sum.clients, 1);
    return NULL;
}

static int listening(const char *port)
{
    struct addrinfo hints, *a;
    size_t digits = strspn(port, "0123456789");

    if (digits == 0 || port[digits] || atol(port) > 65535)
        errx(1, "%s: %s", port, gai_strerror(EAI_SERVICE));
    memset(&hints, 0, sizeof hints);
    hints.ai_family = AF_INET;
    hints.ai_flags = AI_PASSIVE;
    hints.ai_socktype = SOCK_STREAM;
    int bad = getaddrinfo(NULL, port, &hints, &a), yes = 1;
    if (bad)
        errx(1, "%s: %s", port, gai_strerror(bad));
    int s = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK, 0);
    if (s == -1)
        err(1, "socket");
    (void)setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(s, a->ai_addr, a->ai_addrlen) == -1 || listen(s, 512) == -1)
        err(1, "listen on %s", port);
    freeaddrinfo(a);
    return s;
}

/* 0, when it is time to stop */
static int another(int door, int bell)
{
    struct timeval tenth = {0, 100000};
    pthread_t t;
    fd_set r;

    FD_ZERO(&r);
    FD_SET(bell, &r);
    FD_SET(door, &r);
    if (select((door > bell ? door : bell) + 1, &r, NULL, NULL, NULL) < 0)
        return 1;
    if (FD_ISSET(bell, &r))
        return 0;
    int fd = accept(door, NULL, NULL);
    if (fd >= 0) {
        if (pthread_create(&t, NULL, attend, (void *)(intptr_t)fd) == 0)
            return pthread_detach(t), 1;
        close(fd);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
               errno == ENOBUFS) {
        FD_CLR(door, &r);
        FD_SET(bell, &r);
        select(bell + 1, &r, NULL, NULL, &tenth);
    }
    return 1;
}

int main(int argc, char **argv)
{
    sigset_t end;

    if (argc != 2)
        errx(2, "usage: threaded PORT");
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigaddset(&end, SIGINT);
    pthread_sigmask(SIG_BLOCK, &end, NULL);
    int door = listening(argv[1]), bell = signalfd(-1, &end, 0);
    if (bell == -1)
        err(1, "signalfd");
    while (another(door, bell))
        ;
    pthread_mutex_lock(&sum.m);
    printf("served %ju connections, %ju bytes\n", (uintmax_t)sum.clients,
           (uintmax_t)sum.bytes);
    return 0;
}
