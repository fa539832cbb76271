/* worklist.h - what a sweep has still to play.
 *
 * The calls of a recorded run, each times the failures that the catalogue
 * allows there, make the list; calls that show up for the first time behind a
 * failure are queued as a second failure on top of it.
 *
 * Must not know: how a run is played and judged.
 */
#ifndef FAULTLINE_WORKLIST_H
#define FAULTLINE_WORKLIST_H

#include "catalogue.h"
#include "trace.h"

#define WORK_MOST   1024 /* plans for one class of one step */
#define WORK_DEPTH  2    /* failures on top of one another */
#define WORK_FAULTS 6    /* the most that one run is played with */
#define CALLS_MOST  256  /* of one run that can be made to fail */
#define CALLS_EACH  4    /* at one place of the code on one connection */

/* How far a run has come at a call. */
enum stage { STAGE_STARTING, STAGE_LISTENING, STAGE_SERVING };

/* A call of a run that a plan can address. */
struct swept_call {
    uint64_t site; /* where it was made: an address in the program's file */
    uint16_t call; /* enum call_id */
    uint16_t family;
    int32_t conn;             /* 0: it is not about a connection */
    uint32_t nth[WHEN_COUNT]; /* its number, from 1, among the calls of its
                               * family there that could fail so; 0: it
                               * could not */
    enum stage stage;
    bool injected;
};

struct swept_calls {
    struct swept_call call[CALLS_MOST];
    size_t count;
    unsigned passed_over; /* repetitions beyond CALLS_EACH, and CALLS_MOST */
};

/* The calls that have returned since `since` calls were entered (0: since the
 * run began), numbered from there. */
void swept_calls_take(struct swept_calls *calls, struct trace *trace,
                      uint32_t since);

/* Keeps of `calls` those that are in `again`, a second recording, too. Returns
 * the first that is in one of them only, or NULL: they agree. How often a
 * program looks for readiness is its own affair: no difference. */
const struct swept_call *swept_calls_agree(struct swept_calls *calls,
                                           const struct swept_calls *again);

/* A plan to play: one failure, or a second one behind it. */
struct work {
    struct fault fault[WORK_FAULTS];
    unsigned depth;
    const struct failure *failure; /* the last one's row, ... */
    struct swept_call call;        /* ... and the call that it hits */
};

struct worklist {
    /* Only failures of that class. CLASS_COUNT: of each class, but one for
     * all calls at a place of the code; a server's, once it serves. */
    enum failure_class class;
    bool is_client;
    bool survives_sigpipe;
    struct work work[WORK_MOST];
    size_t count;
    unsigned cut_off; /* plans beyond WORK_MOST, calls passed over */
    uint64_t site[CALLS_MOST];
    size_t sites; /* places of the code seen so far */
};

/* Queues each failure of the catalogue that those calls can have. `before`
 * is what was planned for the run that made them: then only calls at places
 * never seen before are queued, behind it. NULL: nothing was planned. */
void worklist_add(struct worklist *list, const struct swept_calls *calls,
                  const struct work *before);

/* Writes the plan as of fault.h. Returns `text`. */
char *work_format(const struct work *work, char *text, size_t size);

#endif
