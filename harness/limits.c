/* limits.c - what a case may use of the machine, looked at while it waits:
 * where there is no cgroup, nobody else counts over all of its processes. */
#define _GNU_SOURCE
#include "play_internal.h"

#include "census.h"
#include "sandbox.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LOOK_NS      50000000u
#define PROCESSES    600 /* and threads; the kernel stops it at 640 */
#define PRINTED_MOST (64u << 20)
#define MEMORY_MIB   1024u

/* Not more than half of what the machine has. */
static uint64_t memory_most(void)
{
    uint64_t half =
        (uint64_t)sysconf(_SC_PHYS_PAGES) / 2 * (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t most = (uint64_t)MEMORY_MIB << 20;

    return half < most ? half : most;
}

static uint64_t memory_of(const struct census *census, bool shared_once)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < census->count; i++)
        if (census->process[i].state != 'Z')
            sum += census_own_bytes(census->process[i].pid, shared_once);
    return sum;
}

/* Pages that a fork shares are counted for each process at first, which is
 * cheap; where that is too much, for all of them once. */
static uint64_t memory_used(struct play *play)
{
    struct census its, orphans;
    uint64_t sum = 0;

    for (int exact = 0; exact < 2; exact++) {
        census_take(&its, play->program->server, 0);
        census_take(&orphans, getpid(), play->program->server);
        sum = memory_of(&its, exact) + memory_of(&orphans, exact);
        census_release(&its);
        census_release(&orphans);
        if (sum <= memory_most())
            break;
    }
    return sum;
}

/* A verdict that is in place stays. */
static void over(struct play *play, const char *words)
{
    sandbox_end_all();
    program_kill(play->program);
    if (play->verdict->status == VERDICT_NONE)
        play_fail(play, "the program keeps to what one program needs", "%s",
                  words);
}

/* A storm of processes leaves us little time: they are counted as soon as
 * many have begun, and nothing else is looked at. */
void limits_count(struct play *play)
{
    uint32_t begun = atomic_load(&play->program->trace->processes);
    struct census census;

    if (begun - play->processes_then < PROCESSES / 2)
        return;
    play->processes_then = begun;
    census_take(&census, getpid(), 0);
    size_t live = census.count - census.zombies;
    census_release(&census);
    limits_look(play, live);
}

void limits_look(struct play *play, size_t threads)
{
    char words[160];
    uint64_t now = play_now_ns(), printed, used;

    if (threads > PROCESSES) {
        snprintf(words, sizeof(words),
                 "it has more than %d processes and threads at once",
                 PROCESSES);
        over(play, words);
    }
    printed = play->output.lost + play->errors.lost;
    if (printed > PRINTED_MOST) {
        snprintf(words, sizeof(words), "it has printed more than %u MiB",
                 PRINTED_MOST >> 20);
        over(play, words);
    }
    if (now - play->limits_looked_ns < LOOK_NS)
        return;
    play->limits_looked_ns = now;
    used = memory_used(play);
    if (used > memory_most()) {
        snprintf(words, sizeof(words),
                 "it has taken more than %llu MiB of memory",
                 (unsigned long long)(memory_most() >> 20));
        over(play, words);
    }
}
