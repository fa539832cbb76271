/* Right: no lock: each thread adds to a struct of its own; a flag, stored by
 * release and read by acquire, hands the rest of it to main.
 * Quick: no */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct talk {
    _Atomic unsigned long sum;
    int conn, error; /* `error` is the thread's, until it is `over` */
    _Atomic bool over;
};
static struct talk **talks; /* those that are not yet counted */
static size_t now;
static unsigned long served, bytes;
static volatile sig_atomic_t told;

static void *listen_and_repeat(void *arg)
{
    struct talk *mine = arg;
    char heard[3333];
    ssize_t len, n;

    do {
        len = TEMP_FAILURE_RETRY(read(mine->conn, heard, sizeof heard));
        for (char *said = heard; said < heard + len; said += n) {
            n = TEMP_FAILURE_RETRY(
                send(mine->conn, said, heard + len - said, MSG_NOSIGNAL));
            if (n == -1)
                goto broken;
            atomic_fetch_add_explicit(&mine->sum, n, memory_order_relaxed);
        }
    } while (len > 0);
broken:
    mine->error = len == 0 ? 0 : errno;
    close(mine->conn);
    atomic_store_explicit(&mine->over, true, memory_order_release);
    return NULL;
}

static void count_those_over(void)
{
    for (size_t i = now; i-- > 0;) {
        struct talk *t = talks[i];
        if (!atomic_load_explicit(&t->over, memory_order_acquire))
            continue;
        if (t->error)
            fprintf(stderr, "broken: %s\n", strerror(t->error));
        bytes += t->sum;
        served += 1;
        talks[i] = talks[--now];
        free(t);
    }
}

static bool begin(int conn)
{
    pthread_t thread;
    void *more = realloc(talks, (now + 1) * sizeof *talks);
    struct talk *t = calloc(1, sizeof *t);

    talks = more ? more : talks;
    if (t)
        t->conn = conn;
    if (!more || !t || pthread_create(&thread, NULL, listen_and_repeat, t)) {
        free(t);
        return false;
    }
    talks[now++] = t;
    pthread_detach(thread);
    return true;
}

static void tell(int signo)
{
    told = signo;
}

int main(int argc, char **argv)
{
    struct sigaction act = {.sa_handler = tell};
    struct sockaddr_in self = {.sin_family = AF_INET};
    const struct timespec tenth = {.tv_nsec = 100000000};
    char *end;

    if (argc != 2)
        return fprintf(stderr, "usage: %s PORT\n", argv[0]), 2;
    sigset_t old;
    sigemptyset(&act.sa_mask);
    sigaddset(&act.sa_mask, SIGINT);
    sigaddset(&act.sa_mask, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &act.sa_mask, &old);
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    unsigned long port = strtoul(argv[1], &end, 10);
    errno = EINVAL;
    int s = *argv[1] == '\0' || *end != '\0' || port > 65535
                ? -1
                : socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    self.sin_port = htons((in_port_t)port);
    if (s == -1 ||
        setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) ||
        bind(s, (struct sockaddr *)&self, sizeof self) || listen(s, 99))
        return perror(argv[1]), 1;
    struct pollfd p = {.fd = s, .events = POLLIN};
    while (!told) {
        int found = ppoll(&p, 1, NULL, &old);
        count_those_over();
        if (found <= 0)
            continue;
        int conn = accept(s, NULL, NULL);
        if (conn != -1 && !begin(conn))
            close(conn);
        if (conn == -1 && errno != EAGAIN && errno != ECONNABORTED &&
            errno != EPROTO)
            ppoll(NULL, 0, &tenth, &old);
    }
    count_those_over();
    while (now > 0)
        bytes += talks[--now]->sum;
    printf("served %lu connections, %lu bytes\n", served, bytes);
    return 0;
}
