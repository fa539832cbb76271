/* watchdog.c - a thread that is fed by the play loop. */
#define _GNU_SOURCE
#include "watchdog.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#define HUNGER_S 60

static _Atomic uint32_t fed;
static _Atomic int32_t watched;

/* The program leads a session of its own: its children end with it. */
static void end_program(void)
{
    pid_t program = atomic_load(&watched);

    if (program <= 0)
        return;
    kill(-program, SIGKILL);
    kill(program, SIGKILL);
}

static void *watch(void *arg)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
    struct timespec until;

    pthread_mutex_lock(&mutex);
    for (;;) {
        uint32_t before = atomic_load(&fed);

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += HUNGER_S;
        while (pthread_cond_timedwait(&never, &mutex, &until) != ETIMEDOUT)
            continue;
        if (atomic_load(&fed) == before)
            end_program();
    }
    return arg;
}

int watchdog_start(void)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, watch, NULL);

    return error ? error : pthread_detach(thread);
}

void watchdog_feed(pid_t program)
{
    atomic_fetch_add(&fed, 1);
    atomic_store(&watched, program);
}
