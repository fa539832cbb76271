/* rest.h - is the program at rest, done, or busy?
 *
 * A program is at rest when each of its threads is blocked in a call without
 * a time-out and none has run between two looks. Nothing but an act of ours
 * can move it then: what has not happened by now will never happen.
 *
 * Must not know: what is expected of the program.
 */
#ifndef FAULTLINE_REST_H
#define FAULTLINE_REST_H

#include "census.h"
#include "program.h"

#include <stdbool.h>
#include <stdint.h>

enum rest_state {
    REST_BUSY,    /* a thread runs, or could */
    REST_TIMED,   /* all blocked, some with a time-out: it will wake */
    REST_PATIENT, /* all blocked, some for long, unless what they wait for
                   * comes before */
    REST_BLOCKED, /* all blocked for good */
    REST_GONE,    /* no process is left */
};

/* A time-out up to this is waited for: only a call that ends can be judged. */
#define REST_SOON_MS 5000

struct rest {
    enum rest_state state;
    int64_t longest_ms; /* the longest of the time-outs that end soon; or 0 */
    size_t timed;       /* threads that wait with a time-out */
    bool stopped;       /* a process is stopped (SIGSTOP): blocked, too */
    size_t processes, zombies, threads;
    size_t busy;             /* threads that run, or could */
    uint64_t cpu_ns, turns;  /* sums over all threads */
    uint32_t seq;            /* the trace, before the look */
    enum census_timer timer; /* where all are blocked for long */
};

/* Takes a look. Returns 0, or -1 with errno (no memory). */
int rest_look(struct rest *rest, struct program *program);

/* Will it wake without our doing, soon or not? */
bool rest_has_timeout(const struct rest *rest);

/* A timer that was armed at an earlier look, and seems to be no more: the
 * kernel has not got to it, where nothing has run since that could have
 * disarmed it. Then the program will wake; else *armed is this look where there
 * is such a timer. */
void rest_recall_timer(struct rest *armed, struct rest *now);

/* Did nothing run between the two looks? */
bool rest_same(const struct rest *before, const struct rest *now);

#endif
