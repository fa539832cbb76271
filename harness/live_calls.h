/* live_calls.h - the calls of a program that runs, on stderr as they return.
 *
 * Made from the trace while it is written: what comes faster than it can be
 * shown is counted.
 */
#ifndef FAULTLINE_LIVE_CALLS_H
#define FAULTLINE_LIVE_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIVE_OPEN 1024

struct play;

/* A call that has been entered. */
struct live_call {
    uint32_t serial;
    bool told; /* that it is blocked */
};

struct live_calls {
    struct play *play; /* its program's trace is read; not ours to release */
    uint32_t next;     /* the first call that was not looked at yet */
    struct live_call open[LIVE_OPEN];
    size_t opens;
};

/* From the program's first call on. The play must stay as long as `calls`. */
void live_calls_begin(struct live_calls *calls, struct play *play);

/* Those that have returned since. */
void live_calls_show_returned(struct live_calls *calls);

/* Those that have not, each once. */
void live_calls_show_blocked(struct live_calls *calls);

#endif
