/* fault.h - planned failures: which call of a run shall fail, and how.
 *
 * A fault is addressed by what the peers control, so that it means the same
 * in every correct program and in every run:
 *
 *     write@conn2#1=short:1     the 1st write on connection 2 takes 1 byte
 *     fork#2=EAGAIN             the 2nd fork fails
 *     accept#3..=ENFILE         every accept from the 3rd on fails
 *     read@conn1#2..4=EINTR     the 2nd to the 4th read on connection 1
 *     accept#2=drop             the 2nd client is lost: ECONNABORTED, for
 *                               a client that has reset its connection
 *     accept#1=hold             the 1st accept waits at a gate
 *     read@conn1#1=hold-after   ... holds after the call has returned
 *     accept#1=ECONNABORTED+SIGCHLD   fails, and a signal arrives before
 *                               the program can look at errno
 *
 * A name that is a family (read, write, accept, wait, poll, fork, malloc,
 * any) means every call of that family. Connections are numbered from 1 in
 * the order in which the peers connected; calls count from 1, and only
 * where the failure could have happened: an accept with a client waiting, a
 * read with something to read, a write with room.
 */
#ifndef FAULTLINE_FAULT_H
#define FAULTLINE_FAULT_H

#include "calls.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum fault_action {
    FAULT_NOTHING,
    FAULT_ERRNO,      /* fails with errno `value` */
    FAULT_SHORT,      /* to `value` bytes; by -`value`; 0: to half */
    FAULT_DROP,       /* accept: ECONNABORTED, and the client is gone */
    FAULT_HOLD,       /* waits at the gate before the call */
    FAULT_HOLD_AFTER, /* makes the call, then waits before it returns */
};

/* What must be true of a call for a failure to be possible there and then. */
enum fault_when {
    WHEN_ALWAYS,
    WHEN_LONGER,   /* it moves more than one byte, and may move fewer */
    WHEN_HANDLER,  /* a handler that interrupts it is installed */
    WHEN_NONBLOCK, /* on a non-blocking descriptor, not edge-triggered */
    WHEN_COUNT,
};

#define FAULT_CONN_ANY 0
#define FAULT_FOREVER  UINT32_MAX

struct fault {
    uint16_t family; /* enum call_family, or FAMILY_NONE: see call */
    uint16_t call;   /* enum call_id, or CALL_none: the whole family; both
                      * none: any call at all */
    int32_t conn;    /* a connection's number, or FAULT_CONN_ANY */
    uint32_t first;  /* the first call that it hits, from 1 */
    uint32_t last;   /* the last one, or FAULT_FOREVER */
    int32_t action;  /* enum fault_action */
    int32_t value;
    int32_t signal; /* raised behind the failure; 0: none */

    /* What the run has seen of it; shared between its processes. */
    _Atomic uint32_t seen;  /* calls that it could have hit */
    _Atomic uint32_t fired; /* calls that it did hit */
    _Atomic uint32_t held;  /* callers at the gate now */
    _Atomic uint32_t gate;  /* futex: 0 shut, 1 open */
};

/* The most faults that one plan can hold. */
#define FAULT_MAX 16

/* Reads one fault. Returns 0, or -1 with *error set to a static sentence
 * that says what is wrong with the text. */
int fault_parse(struct fault *fault, const char *text, const char **error);

/* Reads faults joined by ','. Returns how many (0 for NULL or ""), or -1
 * with *error set as above. */
int fault_parse_plan(struct fault plan[FAULT_MAX], const char *text,
                     const char **error);

/* Writes the text of a fault: at most `size` bytes with the final NUL.
 * fault_parse() of it gives the same fault again. Returns `text`. */
char *fault_format(const struct fault *fault, char *text, size_t size);

#endif
