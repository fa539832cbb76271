/* lanes.c - runs of a sweep side by side: each lane is a process with a fork
 * server, a trace and ports of its own. Which lane plays what is chance; the
 * outcomes stand in the order of the list. */
#define _GNU_SOURCE
#include "sweep_internal.h"

#include "watchdog.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LANES_MOST 24
#define FIRST_PORT 20000 /* each lane claims the next block that is free */

struct queue {
    const struct sweep *sweep;
    _Atomic size_t *next; /* shared */
    size_t end;
};

static void play_all(const struct queue *queue, struct program *program)
{
    struct lane lane = {program, FIRST_PORT};
    size_t i;

    while ((i = atomic_fetch_add(queue->next, 1)) < queue->end) {
        struct outcome *outcome = &queue->sweep->outcome[i];

        sweep_run(queue->sweep, &lane, &queue->sweep->list.work[i], outcome);
        if (outcome->verdict.status == VERDICT_ERROR)
            memset(outcome, 0, sizeof(*outcome));
    }
}

/* The handlers are cmocka's, and lead back into the table of tests. */
static void leave_the_tests(void)
{
    static const int signals[] = {SIGABRT, SIGBUS,  SIGFPE,
                                  SIGILL,  SIGSEGV, SIGSYS};

    for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
        signal(signals[i], SIG_DFL);
}

__attribute__((noreturn)) static void run_lane(const struct queue *queue)
{
    const struct play *row = queue->sweep->play;
    struct program program;

    leave_the_tests();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (watchdog_start(WATCHDOG_S) != 0 ||
        program_open(&program, row->binary, row->interposer) < 0)
        _exit(1); /* others play what it would have played */
    play_all(queue, &program);
    program_close(&program);
    _exit(0);
}

static size_t lanes_for(const struct sweep *sweep, size_t works)
{
    size_t each = sweep->waits                          ? 1
                  : sweep->list.class == CLASS_RESOURCE ? 2
                                                        : 8;
    size_t lanes = (works + each - 1) / each;

    return lanes < LANES_MOST ? lanes : LANES_MOST;
}

static _Atomic size_t *new_counter(size_t first)
{
    _Atomic size_t *counter =
        mmap(NULL, sizeof(*counter), PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (counter == MAP_FAILED)
        return NULL;
    atomic_store(counter, first);
    return counter;
}

/* What no lane has played, because none could be made or one died, or had no
 * room for beside the others, is played here. */
static void play_rest_here(const struct sweep *sweep, size_t first, size_t end)
{
    struct lane here = {sweep->play->program,
                        (uint16_t)(sweep->play->port + 1)};

    for (size_t i = first; i < end; i++)
        if (sweep->outcome[i].verdict.status == VERDICT_NONE)
            sweep_run(sweep, &here, &sweep->list.work[i], &sweep->outcome[i]);
}

void lanes_play(const struct sweep *sweep, size_t first, size_t end)
{
    struct queue queue = {sweep, new_counter(first), end};
    size_t lanes = queue.next ? lanes_for(sweep, end - first) : 0;
    pid_t pid[LANES_MOST];

    fflush(NULL);
    for (size_t i = 0; i < lanes; i++) {
        pid[i] = fork();
        if (pid[i] == 0)
            run_lane(&queue);
    }
    for (size_t i = 0; i < lanes; i++)
        if (pid[i] > 0)
            waitpid(pid[i], NULL, 0);
    if (queue.next)
        munmap(queue.next, sizeof(*queue.next));
    play_rest_here(sweep, first, end);
}
