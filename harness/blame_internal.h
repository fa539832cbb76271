/* blame_internal.h - what blame.c (which kind of question it is) and the others
 * (which call of the trace answers it) share.
 *
 * Each finder looks for a call with a line of the submission's own. It
 * returns false where there is none, and *record is worth nothing then.
 */
#ifndef FAULTLINE_BLAME_INTERNAL_H
#define FAULTLINE_BLAME_INTERNAL_H

#include "blame.h"

static inline enum call_family family_of(const struct trace_record *record)
{
    return call_family(record->call);
}

/* The serials of the calls that the trace holds. */
uint32_t blame_newest(const struct play *play);
uint32_t blame_oldest(const struct play *play);

/* A call that failed for good; or was made to fail, or to fall short. */
bool blame_is_failure(const struct trace_record *record);
bool blame_is_injected(const struct trace_record *record);

/* The program has ended: its exit; the kill() or the write that killed it; an
 * early half-close; the failure right before; or its last call. */
bool blame_find_death(struct play *play, struct trace_record *record);

/* A call was made to fail: on the connection in question, or at all. */
bool blame_find_injected(struct play *play, struct trace_record *record);

/* It turns round and round: of the last calls the one that says most. */
bool blame_find_spin(struct play *play, struct trace_record *record);

/* Where it is blocked: a thread that serves the connection in question, else
 * the one that explains most; where that thread stands; or the first one. */
bool blame_find_blocked(struct play *play, struct trace_record *record);
bool blame_find_standing(struct play *play, const struct trace_thread *slot,
                         struct trace_record *record);
bool blame_find_blocked_first(struct play *play, struct trace_record *record);

/* Some thread waits for a lock that nobody will ever unlock: the last call of
 * who has left it locked; else where the one that waits for it stands. */
enum blame_lock blame_find_lock(struct play *play, struct trace_record *record);

/* The newest call for which `match` (which gets the play) returns true. */
bool blame_find(struct play *play, trace_match *match,
                struct trace_record *record);

/* Calls of the program's first process: one of them; its newest of a family. */
trace_match blame_is_first;
bool blame_find_own(struct play *play, enum call_family family,
                    struct trace_record *record);

/* ---- The bytes of a connection: blame_flow.c ---- */

/* What it did with the bytes of the connection in question: the write that
 * gave too much or too little, the read whose bytes were kept back, or after
 * which it read no more. */
bool blame_find_flow(struct play *play, struct trace_record *record);

/* A byte was wrong: the write that it went out by, or, where all that the
 * user typed went out, what brought it to stdout. And bytes that were read,
 * but did not come to stdout. */
bool blame_find_bytes(struct play *play, struct trace_record *record);
bool blame_find_kept_back(struct play *play, struct trace_record *record);

/* The read that found the end, where it closed then, and still owed bytes; or
 * the close by a thread that did not serve it. */
bool blame_find_early_end(struct play *play, struct trace_record *record);

/* Its close reset the connection in question: SO_LINGER, where it was set. */
bool blame_find_reset(struct play *play, struct trace_record *record);

/* The last call on the connection in question, but for those that take it
 * and those that end it; else the wait before it was closed. */
bool blame_find_last_on(struct play *play, struct trace_record *record);

/* A client ended its input, for no reason, before the user did: its half-close.
 */
bool blame_find_early_half_close(struct play *play,
                                 struct trace_record *record);

/* ---- What stands behind the kernel's picture: blame_state.c ---- */

/* Zombies: what it did last about its children. */
bool blame_find_reaper(struct play *play, struct trace_record *record);

/* A process too many: where the child lingers, or the call after which it
 * should have ended; where all of them serve, the fork. A thread too many:
 * the call that made the last one. */
bool blame_find_lingerer(struct play *play, struct trace_record *record);
bool blame_find_thread(struct play *play, struct trace_record *record);

/* The last call on play->blame_fd; the last call of process play->blame_pid
 * on the connection in question. Where that took the connection, and
 * something failed right behind: that. */
bool blame_find_descriptor(struct play *play, struct trace_record *record);
bool blame_find_holder(struct play *play, struct trace_record *record);

/* A client is refused: the call that closed the listening socket, else the
 * bind. No client is waited for yet: the failure that it did not heed, else
 * the bind. */
bool blame_find_listener(struct play *play, struct trace_record *record);
bool blame_find_start(struct play *play, struct trace_record *record);

/* The place that allocates (of several the one that takes nearly all); the last
 * wait or pause that ended; the last line printed, or the broken connection of
 * which none was; the wait for a child before that line; the last that said
 * that it is over; the call that left its errno. */
bool blame_find_allocation(struct play *play, struct trace_record *record);
bool blame_find_wake(struct play *play, struct trace_record *record);
bool blame_find_line(struct play *play, struct trace_record *record);
bool blame_find_status(struct play *play, struct trace_record *record);
bool blame_find_end(struct play *play, struct trace_record *record);
bool blame_find_spoiler(struct play *play, struct trace_record *record);

/* The last exit of a process that is not the first. */
bool blame_find_childs_exit(struct play *play, struct trace_record *record);

#endif
