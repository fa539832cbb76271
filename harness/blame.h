/* blame.h - the line that a failed case points at.
 *
 * The first frame in the submission's own code, and who called it. Where the
 * fault is an absence (no reaper, a descriptor never closed), no line.
 */
#ifndef FAULTLINE_BLAME_H
#define FAULTLINE_BLAME_H

#include "play_internal.h"

/* Fills in the verdict's place by play->blame and what the trace knows; where a
 * lock that is never unlocked is behind it, that place, and its why and hint.
 */
void blame_fill(struct play *play);

/* " at net.c:41" for a return address of the run, or "". Returns `text`. */
char *blame_place(struct play *play, uint64_t address, char *text, size_t size);

/* What becomes of the lock that a thread waits for. */
enum blame_lock {
    LOCK_NONE,    /* it waits for none; or nothing is known of it */
    LOCK_HELD,    /* somebody has it */
    LOCK_LEFT,    /* somebody had it who has ended */
    LOCK_ITS_OWN, /* it has locked it before */
    LOCK_COPIED,  /* it was locked when this process was forked */
};

/* *holder: who has, or had, the lock; NULL with LOCK_NONE. */
enum blame_lock blame_lock(struct play *play, const struct trace_thread *slot,
                           const struct trace_thread **holder);

/* The same for where a thread waits: for a lock, or in no call of the trace. */
char *blame_standing(struct play *play, const struct trace_thread *slot,
                     char *text, size_t size);

/* Closes what those above have opened. */
void blame_end(struct play *play);

#endif
