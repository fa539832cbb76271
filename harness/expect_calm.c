/* expect_calm.c - how much a program may do while there is nothing to do. */
#define _GNU_SOURCE
#include "play_internal.h"

#include "clock.h"

/* Judged by the program's own calls and pauses: a pause of 100 ms has lasted
 * 100 ms at the least, however busy the machine is. Who stands still, in a
 * pause or otherwise, has done before that what the pace says. */
struct pace {
    uint64_t begun_ns;
    uint32_t calls, wakeups;
    uint64_t paused_ms;
    uint64_t moved; /* bytes */
};

static uint32_t calls_in(struct play *play, const struct pace *pace)
{
    return atomic_load(&play->program->trace->calls) - pace->calls;
}

static uint32_t wakeups_in(struct play *play, const struct pace *pace)
{
    return atomic_load(&play->program->trace->wakeups) - pace->wakeups;
}

static uint64_t paused_in(struct play *play, const struct pace *pace)
{
    return atomic_load(&play->program->trace->paused_ms) - pace->paused_ms;
}

static struct pace pace_now(struct play *play)
{
    struct trace *trace = play->program->trace;

    return (struct pace){
        clock_ns(), atomic_load(&trace->calls), atomic_load(&trace->wakeups),
        atomic_load(&trace->paused_ms), atomic_load(&trace->moved)};
}

/* Who moves bytes is woken by them, and does not spin. */
static void begin_anew_where_bytes_moved(struct play *play, struct pace *pace)
{
    if (atomic_load(&play->program->trace->moved) != pace->moved)
        *pace = pace_now(play);
}

static bool within_a_second(const struct pace *pace)
{
    return clock_ns() - pace->begun_ns < 1000000000u;
}

/* Decided: too many calls, or pauses enough to know the rate, or a long one
 * that has begun. */
static bool pace_is_known(struct play *play, void *arg)
{
    struct pace *pace = arg;

    if (play->calm.patient)
        return true;
    begin_anew_where_bytes_moved(play, pace);
    if (calls_in(play, pace) > 200 && within_a_second(pace))
        return true;
    if (!within_a_second(pace) && calls_in(play, pace) > 0)
        *pace = pace_now(play);
    return paused_in(play, pace) >= 100;
}

#define SHORTAGE_MS 10000 /* of the program's time: who pauses counts, too */

static bool has_lasted(struct play *play, void *arg)
{
    (void)arg;
    return play->calm.patient ||
           atomic_load(&play->program->trace->pauses_fly_ms) <= 0;
}

/* Who gives up after so many tries, or pauses, comes to that. */
static void let_it_last(struct play *play)
{
    play_let_time_fly(play, SHORTAGE_MS, 0);
    play_until(play, has_lasted, NULL);
    play_let_time_fly(play, 0, 0);
}

void expect_no_spin(struct play *play)
{
    let_it_last(play);
    struct pace pace = pace_now(play);
    enum play_end end;

    do {
        end = play_until(play, pace_is_known, &pace);
    } while (end == END_HOLDS && !pace_is_known(play, &pace));
    uint32_t calls = calls_in(play, &pace);
    bool fast = end == END_HOLDS && !play->calm.patient &&
                calls > 4 + paused_in(play, &pace) / 5;
    play->spins = end == END_SPINS || fast;
    if (play->spins)
        play_fail(play,
                  "while a shortage lasts, at most 200 calls and 30 % of a "
                  "core in a second",
                  "it spins: %u calls, and pauses of %llu ms in all", calls,
                  (unsigned long long)paused_in(play, &pace));
    expect_alive(play);
}

static bool idleness_is_known(struct play *play, void *arg)
{
    struct pace *pace = arg;

    if (play->calm.patient)
        return true;
    begin_anew_where_bytes_moved(play, pace);
    if (wakeups_in(play, pace) > 20 && within_a_second(pace))
        return true;
    if (!within_a_second(pace) && wakeups_in(play, pace) > 0)
        *pace = pace_now(play);
    return paused_in(play, pace) >= 500;
}

void expect_idle(struct play *play)
{
    enum play_end end;
    struct pace pace;

    play_rest(play);
    pace = pace_now(play);
    do {
        end = play_until(play, idleness_is_known, &pace);
    } while (end == END_HOLDS && !idleness_is_known(play, &pace));
    uint32_t wakeups = wakeups_in(play, &pace);
    bool restless = end == END_HOLDS && !play->calm.patient &&
                    wakeups > 1 + paused_in(play, &pace) / 50;
    play->spins = end == END_SPINS;
    play_blame_for(play, play->spins ? BLAME_BY_ITSELF : BLAME_WAKE);
    if (play->spins || restless)
        play_fail(play, "the program does nothing while nothing happens",
                  "it woke up %u times in %llu ms of waiting", wakeups,
                  (unsigned long long)paused_in(play, &pace));
    play_blame_for(play, BLAME_BY_ITSELF);
    expect_no_signal(play);
}
