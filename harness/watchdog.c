/* watchdog.c - a thread that is fed by the play loop. */
#define _GNU_SOURCE
#include "watchdog.h"

#include "census.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static _Atomic uint32_t fed;
static _Atomic int32_t watched;
static _Atomic bool bit;
static unsigned hunger_s;

/* The program leads a session of its own: its children end with it. */
static void end_program(void)
{
    pid_t program = atomic_load(&watched);

    if (program <= 0)
        return;
    atomic_store(&bit, true);
    kill(-program, SIGKILL);
    kill(program, SIGKILL);
}

/* A harness that only waits for a processor is held by nobody. */
static bool is_held(void)
{
    return strchr("SD", census_state(getpid())) != NULL;
}

static void *watch(void *arg)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
    struct timespec until;

    pthread_mutex_lock(&mutex);
    for (;;) {
        uint32_t before = atomic_load(&fed);

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += hunger_s;
        while (pthread_cond_clockwait(&never, &mutex, CLOCK_MONOTONIC,
                                      &until) != ETIMEDOUT)
            continue;
        if (atomic_load(&fed) == before && is_held())
            end_program();
    }
    return arg;
}

int watchdog_start(unsigned seconds)
{
    pthread_t thread;

    hunger_s = seconds;
    int error = pthread_create(&thread, NULL, watch, NULL);

    return error ? error : pthread_detach(thread);
}

void watchdog_feed(pid_t program)
{
    atomic_fetch_add(&fed, 1);
    atomic_store(&watched, program);
}

bool watchdog_has_bitten(void)
{
    return atomic_exchange(&bit, false);
}
