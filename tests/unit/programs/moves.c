/* moves.c - moves bytes that no peer sees, in so many rounds (0: for ever)
 * and with that in between which its arguments say; then listens. As "toils"
 * it moves none, and stays, as do "twins"; as "ticks" and "naps" it moves none,
 * and is woken each time. "accompanied" it toils beside a thread that wakes
 * each 5 ms; "alarmed" is it each 200 ms, and a thread receives with a
 * time-out. "kept" it moves none and has a while to wait uninterruptibly, as
 * who gets no processor; then naps once. "crowded" it waits for a second, and
 * eleven threads for less, again and again. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static void compute(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    long until = now.tv_sec * 1000 + now.tv_nsec / 1000000 + 20;
    do {
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    } while (now.tv_sec * 1000 + now.tv_nsec / 1000000 < until);
}

/* Every half second, or every one and a half. */
static void await_tick(bool slowly)
{
    const struct timespec each = {slowly, 500000000};
    static int timer = -1;
    uint64_t times;

    if (timer == -1) {
        timer = timerfd_create(CLOCK_MONOTONIC, 0);
        timerfd_settime(timer, 0, &(struct itimerspec){each, each}, NULL);
    }
    (void)!read(timer, &times, sizeof(times));
}

static void nap(void) /* by a call that is not watched */
{
    sigset_t none;

    sigemptyset(&none);
    sigtimedwait(&none, NULL, &(struct timespec){0, 100000000});
}

/* Until the timer's signal ends it. */
static int await_end(void *seconds)
{
    const struct itimerval once = {{0, 0}, {*(long *)seconds, 0}};

    syscall(SYS_setitimer, ITIMER_REAL, &once, NULL);
    for (;;)
        pause();
}

static void be_kept(long seconds)
{
    static _Alignas(16) char stack[65536];

    clone(await_end, stack + sizeof(stack), CLONE_VFORK | SIGCHLD, &seconds);
    nap();
}

static int wake_often(void *arg)
{
    for (;;)
        usleep(5000);
    return arg != NULL;
}

static int wait_often(void *arg)
{
    for (;;)
        poll(NULL, 0, 400);
    return arg != NULL;
}

static void be_crowded(void)
{
    thrd_t thread;

    for (int i = 0; i < 11; i++)
        thrd_create(&thread, wait_often, NULL);
    poll(NULL, 0, 1000);
}

static void *receive(void *arg)
{
    const struct timeval limit = {0, 300000};
    int pair[2] = {-1, -1};
    sigset_t all;
    char byte;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    recv(pair[0], &byte, 1, 0);
    return arg;
}

static void nothing(int signal)
{
    (void)signal;
}

static void be_alarmed(void)
{
    const struct itimerval often = {{0, 200000}, {0, 200000}};
    const struct sigaction action = {.sa_handler = nothing};
    pthread_t thread;

    pthread_create(&thread, NULL, receive, NULL);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (;;)
        pause();
}

int main(int argc, char **argv)
{
    bool toils = argc == 3 && strchr("at", *argv[1]);
    thrd_t thread;

    int null = open("/dev/null", O_WRONLY);
    long rounds = argc == 3 ? atol(argv[2]) : -1;

    if (rounds >= 0 && strcmp(argv[1], "accompanied") == 0)
        thrd_create(&thread, wake_often, NULL);
    if (rounds >= 0 && strcmp(argv[1], "twins") == 0)
        fork();
    if (rounds >= 0 && strcmp(argv[1], "alarmed") == 0)
        be_alarmed();
    if (rounds >= 0 && strcmp(argv[1], "crowded") == 0) {
        be_crowded();
        rounds = -1;
    }
    if (rounds >= 0 && strcmp(argv[1], "kept") == 0) {
        be_kept(rounds);
        rounds = -1;
    }
    for (long round = 0; rounds == 0 || round < rounds; round++) {
        if (strncmp(argv[1], "ticks", 5) == 0) {
            await_tick(strcmp(argv[1], "ticks-slowly") == 0);
            continue;
        }
        if (strcmp(argv[1], "naps") == 0) {
            nap();
            continue;
        }
        if (!toils)
            (void)!write(null, "x", 1);
        if (strcmp(argv[1], "rests") == 0)
            usleep(50000);
        if (strcmp(argv[1], "goes-on") != 0 && strcmp(argv[1], "rests") != 0)
            compute();
    }
    listen(socket(AF_INET, SOCK_STREAM, 0), 1);
    if (toils)
        pause();
    return 0;
}
