/* Right: fork() under the lock; the child unlocks its copy of it, and notes
 * what it has done, in its copy of the journal.
 * Quick: no */
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What main and the reaping thread both write to. */
static struct journal {
    pthread_mutex_t lock;
    unsigned running, served;
} journal = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void note(int started, int ended)
{
    pthread_mutex_lock(&journal.lock);
    journal.running += started - ended;
    journal.served += ended;
    pthread_mutex_unlock(&journal.lock);
}

static void *reap(void *set)
{
    int signal;

    for (;;) {
        sigwait(set, &signal);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            note(0, 1);
    }
    return NULL;
}

static void serve(int client)
{
    char piece[1500], *from;
    ssize_t got, put;

    while ((got = recv(client, piece, sizeof piece, 0)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return;
        for (from = piece; got > 0; from += put, got -= put) {
            put = send(client, from, got, MSG_NOSIGNAL);
            if (put < 0 && errno != EINTR)
                return;
            if (put < 0)
                put = 0;
        }
    }
}

static void start(int listener, int client)
{
    pthread_mutex_lock(&journal.lock);
    switch (fork()) {
    case -1:
        perror("fork");
        break;
    case 0:
        pthread_mutex_unlock(&journal.lock);
        close(listener);
        serve(client);
        close(client);
        note(0, 1);
        _exit(0);
    default:
        journal.running++;
    }
    pthread_mutex_unlock(&journal.lock);
    close(client);
}

static int open_port(const char *port)
{
    struct addrinfo hints = {.ai_family = AF_INET,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *at;
    int yes = 1, fd, failed = getaddrinfo(NULL, port, &hints, &at);
    long number = strtol(port, NULL, 10);

    if (failed || number < 1 || number > 65535) {
        fprintf(stderr, "%s: %s\n", port,
                failed ? gai_strerror(failed) : "is no port");
        exit(1);
    }
    fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, 0);
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
        bind(fd, at->ai_addr, at->ai_addrlen) < 0 || listen(fd, 64) < 0) {
        perror(port);
        exit(1);
    }
    freeaddrinfo(at);
    return fd;
}

int main(int argc, char **argv)
{
    static sigset_t ends;
    pthread_t reaper;
    int listener;

    if (argc != 2) {
        fprintf(stderr, "usage: reaper PORT\n");
        return 2;
    }
    listener = open_port(argv[1]);
    sigemptyset(&ends);
    sigaddset(&ends, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    if (pthread_create(&reaper, NULL, reap, &ends) != 0) {
        fprintf(stderr, "reaper: cannot start its thread\n");
        return 1;
    }
    for (;;) {
        int client = accept(listener, NULL, NULL);

        if (client >= 0)
            start(listener, client);
        else if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
            nanosleep(&(struct timespec){0, 100000000}, NULL);
    }
}
