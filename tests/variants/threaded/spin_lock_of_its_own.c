/* Right: a spin lock of its own, a C11 atomic_flag, guards the totals; main
 * lets the signals in by ppoll().
 * Quick: no */
#define _GNU_SOURCE
#include <errno.h>
#include <error.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct {
    atomic_flag held;
    unsigned long long ended, echoed;
} total = {.held = ATOMIC_FLAG_INIT};
static volatile sig_atomic_t no_more;

static void Acquire(void)
{
    while (atomic_flag_test_and_set_explicit(&total.held, memory_order_acquire))
        sched_yield();
}

static void Release(void)
{
    atomic_flag_clear_explicit(&total.held, memory_order_release);
}

static void On_signal(int sig)
{
    no_more = sig;
}

static void *Thread(void *arg)
{
    int *handed = arg, c = *handed;
    unsigned char mem[4000], *left = mem, *right = mem;
    ssize_t n = 1;

    free(handed);
    while (n > 0)
        if (left == right) {
            n = TEMP_FAILURE_RETRY(recv(c, left = mem, sizeof mem, 0));
            right = mem + (n > 0 ? n : 0);
        } else {
            n = TEMP_FAILURE_RETRY(send(c, left, right - left, MSG_NOSIGNAL));
            if (n < 0)
                break;
            left += n;
            Acquire();
            total.echoed += n;
            Release();
        }
    close(c);
    Acquire();
    total.ended++;
    Release();
    return NULL;
}

static void Client(int c)
{
    pthread_t t;
    int *handed = malloc(sizeof c);

    if (handed != NULL &&
        (*handed = c, pthread_create(&t, NULL, Thread, handed) == 0)) {
        pthread_detach(t);
        return;
    }
    free(handed);
    close(c);
}

static int Listen(const char *port)
{
    struct addrinfo *p, ask = {.ai_flags = AI_PASSIVE, .ai_family = AF_INET};
    char *rest;
    long n = strtol(port, &rest, 10);
    int no = EAI_SERVICE;

    ask.ai_socktype = SOCK_STREAM;
    if (rest != port && *rest == 0 && n >= 0 && n <= 65535)
        no = getaddrinfo(NULL, port, &ask, &p);
    if (no)
        error(1, no == EAI_SYSTEM ? errno : 0, "%s: %s", port,
              gai_strerror(no));
    int s = socket(p->ai_family, p->ai_socktype | SOCK_NONBLOCK, 0);
    if (s == -1 ||
        setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) == -1 ||
        bind(s, p->ai_addr, p->ai_addrlen) == -1 || listen(s, 300) == -1)
        error(1, errno, "cannot listen on %s", port);
    freeaddrinfo(p);
    return s;
}

int main(int argc, char **argv)
{
    sigset_t closed, opened;

    if (argc != 2)
        error(2, 0, "usage: %s PORT", argv[0]);
    sigfillset(&closed);
    pthread_sigmask(SIG_SETMASK, &closed, &opened);
    for (int i = 0; i < 2; i++)
        sigaction(i ? SIGINT : SIGTERM,
                  &(struct sigaction){.sa_handler = On_signal}, NULL);
    struct pollfd door = {Listen(argv[1]), POLLIN, 0};
    for (int c; !no_more;)
        if (ppoll(&door, 1, NULL, &opened) > 0) {
            if ((c = accept(door.fd, NULL, NULL)) >= 0)
                Client(c);
            else if (errno != EAGAIN && errno != ECONNABORTED &&
                     errno != EPROTO)
                ppoll(NULL, 0, &(struct timespec){.tv_nsec = 100000000},
                      &opened);
        }
    Acquire();
    printf("served %llu connections, %llu bytes\n", total.ended, total.echoed);
    Release();
    return 0;
}
