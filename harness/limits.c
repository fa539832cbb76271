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
#define PROCESSES    600u /* and threads; the kernel stops it at 640 */
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

static uint64_t memory_of(const struct census *census,
                          uint64_t (*bytes_of)(pid_t pid))
{
    uint64_t sum = 0;

    for (size_t i = 0; i < census->count; i++)
        if (census->process[i].state != 'Z')
            sum += bytes_of(census->process[i].pid);
    return sum;
}

/* Pages that several share, and files', are counted for each process at first,
 * which is cheap; where that is too much, what is its own in parts, and less
 * often. */
static uint64_t memory_used(struct play *play)
{
    struct census its, orphans;

    census_take(&its, play->program->server, 0);
    census_take(&orphans, getpid(), play->program->server);
    uint64_t sum = memory_of(&its, census_resident_bytes) +
                   memory_of(&orphans, census_resident_bytes);
    if (sum > memory_most()) {
        sum = memory_of(&its, census_own_bytes) +
              memory_of(&orphans, census_own_bytes);
        play->limits_looked_ns += 3 * LOOK_NS;
    }
    census_release(&its);
    census_release(&orphans);
    return sum;
}

/* A verdict that is in place stays. */
static void over(struct play *play, const char *format, unsigned most)
{
    char words[160];

    if (play->is_over)
        return;
    play->is_over = true;
    atomic_store(&play->program->trace->over, 1);
    sandbox_end_all();
    program_kill(play->program);
    if (play->verdict->status != VERDICT_NONE)
        return;
    snprintf(words, sizeof(words), format, most);
    play_fail(play, "the program keeps to what one program needs", "%s", words);
}

static size_t live_processes(void)
{
    int live = sandbox_live();
    struct census census;

    if (live >= 0)
        return (size_t)live;
    census_take(&census, getpid(), 0);
    size_t count = census.count - census.zombies;
    census_release(&census);
    return count;
}

static void look_at_processes(struct play *play, size_t live)
{
    if (live > PROCESSES)
        over(play, "it has more than %u processes and threads at once",
             PROCESSES);
}

static void look_at_memory(struct play *play)
{
    if (memory_used(play) > memory_most())
        over(play, "it has taken more than %u MiB of memory",
             (unsigned)(memory_most() >> 20));
}

/* A storm of processes leaves us little time: they are counted whenever some
 * have begun, before anything else is looked at. */
void limits_count(struct play *play)
{
    const struct trace *trace = play->program->trace;
    uint32_t begun = atomic_load(&trace->processes);

    if (atomic_load(&trace->over))
        over(play, "it has begun more than %u processes", TRACE_BEGUN_MOST);
    if (begun - play->processes_then < PROCESSES / 6)
        return;
    play->processes_then = begun;
    look_at_processes(play, live_processes());
}

void limits_look(struct play *play, size_t threads)
{
    uint64_t now = play_now_ns();

    look_at_processes(play, threads);
    if (play->output.lost + play->errors.lost > PRINTED_MOST)
        over(play, "it has printed more than %u MiB", PRINTED_MOST >> 20);
    if (now < play->limits_looked_ns + LOOK_NS)
        return;
    play->limits_looked_ns = now;
    look_at_memory(play);
}

void limits_look_now(struct play *play)
{
    look_at_processes(play, live_processes());
    look_at_memory(play);
}
