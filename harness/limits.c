/* limits.c - what a case may use of the machine, looked at while it waits:
 * where there is no cgroup, nobody else counts over all of its processes. */
#define _GNU_SOURCE
#include "play_internal.h"

#include "census.h"
#include "clock.h"
#include "sandbox.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LOOK_NS      50000000u
#define PROCESSES    600u /* and threads */
#define AT_ONCE      ((PROCESSES + PROGRAM_PROCESSES) / 2)
#define PRINTED_MOST (64u << 20)
#define MEMORY_MIB   1024u
#define FILES_MOST   (192u << 20)
#define FILE_COSTS   4096 /* an empty one, too */

/* Not more than half of what the machine has. */
static uint64_t memory_most(void)
{
    uint64_t half =
        (uint64_t)sysconf(_SC_PHYS_PAGES) / 2 * (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t most = (uint64_t)MEMORY_MIB << 20;

    return half < most ? half : most;
}

/* What belongs to the case, in two parts. */
static uint64_t sum_of(const struct census part[2], uint64_t (*bytes_of)(pid_t))
{
    uint64_t sum = 0;

    for (int p = 0; p < 2; p++)
        for (size_t i = 0; i < part[p].count; i++)
            if (part[p].process[i].state != 'Z')
                sum += bytes_of(part[p].process[i].pid);
    return sum;
}

/* Pages that several share, and files', are counted for each process at first,
 * which is cheap; where that is too much, what is its own in parts, and less
 * often. */
static uint64_t memory_used(struct play *play, const struct census part[2])
{
    uint64_t sum = sum_of(part, census_resident_bytes);

    if (sum <= memory_most())
        return sum;
    play->limits_looked_ns += 3 * LOOK_NS;
    return sum_of(part, census_own_bytes);
}

static uint64_t scratch_bytes;

/* A folder that it locked us out of may hold anything. */
static int add_file(const char *path, const struct stat *info, int kind,
                    struct FTW *where)
{
    (void)path;
    (void)where;
    scratch_bytes += (uint64_t)info->st_blocks * 512 + FILE_COSTS;
    if (kind == FTW_DNR)
        scratch_bytes = UINT64_MAX;
    return scratch_bytes > FILES_MOST;
}

/* In its scratch; or deleted and held, which shows in what was written to a
 * disk. */
static uint64_t files_used(const struct census part[2])
{
    uint64_t written = sum_of(part, census_written_bytes);

    scratch_bytes = 0;
    if (*sandbox_scratch())
        nftw(sandbox_scratch(), add_file, 16, FTW_PHYS | FTW_MOUNT);
    return written > scratch_bytes ? written : scratch_bytes;
}

/* A verdict that is in place stays. */
static void over(struct play *play, const char *format, unsigned most)
{
    char words[160];

    if (play->is_over)
        return;
    play->is_over = true;
    atomic_store(&play->program->trace->over, 1);
    trace_let_begin(play->program->trace, UINT32_MAX);
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

static void look_at_room(struct play *play)
{
    struct census part[2];

    census_take(&part[0], play->program->server, 0);
    census_take(&part[1], getpid(), play->program->server);
    uint64_t memory = memory_used(play, part), files = files_used(part);
    census_release(&part[0]);
    census_release(&part[1]);
    if (memory > memory_most())
        over(play, "it has taken more than %u MiB of memory",
             (unsigned)(memory_most() >> 20));
    if (files > FILES_MOST)
        over(play, "it has more than %u MiB in files", FILES_MOST >> 20);
}

/* A storm of processes would leave us no processor to look at it: before there
 * can be too many for us, and then for the kernel, the next one waits until
 * those that live are counted. */
void limits_count(struct play *play)
{
    struct trace *trace = play->program->trace;
    uint32_t most = atomic_load(&trace->begun_most);
    size_t live = 0;

    if (atomic_load(&trace->over))
        over(play, "it has begun more than %u processes", TRACE_BEGUN_MOST);
    if (most > 0) {
        if (atomic_load(&trace->processes) <= most)
            return;
        look_at_processes(play, live = live_processes());
    }
    if (!play->is_over)
        trace_let_begin(trace, most + AT_ONCE - (uint32_t)live);
}

void limits_look(struct play *play, size_t threads)
{
    uint64_t now = clock_ns();

    look_at_processes(play, threads);
    if (play->output.lost + play->errors.lost > PRINTED_MOST)
        over(play, "it has printed more than %u MiB", PRINTED_MOST >> 20);
    if (now < play->limits_looked_ns + LOOK_NS)
        return;
    play->limits_looked_ns = now;
    look_at_room(play);
}

void limits_look_now(struct play *play)
{
    look_at_processes(play, live_processes());
    look_at_room(play);
}
