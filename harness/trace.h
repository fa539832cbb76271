/* trace.h - the calls that the program made.
 *
 * The interposer writes the trace from inside the program's processes, the
 * harness reads it and waits on it; both map the same memory. It times,
 * addresses and explains. It never decides a verdict by itself: a program
 * that forges it can confuse an explanation, not make itself right.
 *
 * Must not know: cases, verdicts, what a program is started for.
 */
#ifndef FAULTLINE_TRACE_H
#define FAULTLINE_TRACE_H

#include "fault.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Powers of two: the records form a ring, a long run overwrites its start. They
 * are many more than a spin shows itself by: what came before it stays. */
#define TRACE_RECORDS 131072u
#define TRACE_THREADS 4096u

#define TRACE_CALLERS 4 /* return addresses kept for each call */
#define TRACE_NAMES   8 /* host names that getaddrinfo answers for us */
#define TRACE_ADDRS   4 /* addresses for each of them */
#define TRACE_PORTS   65536

/* Processes that one case may begin: two for each client, and more. */
#define TRACE_BEGUN_MOST 5000

/* One call, written when it is entered and again when it returns. */
struct trace_record {
    _Atomic uint32_t serial;   /* its place in the order of entries, from 1;
                                * 0 while the record is being written */
    _Atomic uint32_t returned; /* its place in the order of returns and
                                * entries, or 0: it has not returned */
    uint64_t entered_ns;       /* CLOCK_MONOTONIC, for people only */
    uint64_t returned_ns;
    int32_t pid;
    int32_t tid;
    uint16_t process; /* ordinals, from 1 in the order of creation */
    uint16_t thread;  /* within its process */
    uint16_t call;    /* enum call_id */
    uint8_t injected; /* enum fault_action: this call did not go as usual */
    uint8_t in_handler;
    uint8_t could;  /* of a recorded run: 1 << enum fault_when for each way
                     * in which it could have failed */
    int32_t conn;   /* the connection's number; 0: none */
    int32_t fd;     /* -1: none */
    int64_t arg[2]; /* what matters of the arguments: see the interposer; [1]
                     * of a poll for one descriptor that came: whose it was */
    int64_t result;
    int32_t seen;                   /* a read's: bytes that an earlier look of
                                     * the program had shown to be there */
    int32_t error;                  /* errno, where the call failed */
    int32_t timeout_ms;             /* of a timed wait; -1: waits for ever */
    uint64_t caller[TRACE_CALLERS]; /* return addresses in the submission's
                                     * own code, innermost first; 0: none */
    char note[24]; /* unsafe: the function's name; getaddrinfo: the host */
};

/* What one thread is doing now. */
struct trace_thread {
    _Atomic int32_t tid; /* 0: no thread */
    int32_t pid;
    uint16_t process;
    uint16_t thread;
    _Atomic uint32_t call; /* the call it is in; CALL_none: its own code */
    _Atomic int32_t conn;
    _Atomic int32_t held; /* 1 + the fault whose gate holds it; 0: none */
    _Atomic uint64_t caller;
};

/* A host name of the play's own, and what it resolves to. */
struct trace_name {
    char host[32];
    char addr[TRACE_ADDRS][48];
};

/* Where the program waits for a debugger. */
enum { TRACE_DEBUG_OFF, TRACE_DEBUG_START, TRACE_DEBUG_INJECTED };

/* An alarm for so long is waited for as patiently as for a client; a timer of
 * so long still before who may need it is said to hang. */
#define TRACE_TIMER_MS  1000
#define TRACE_PERIOD_MS 5000

struct trace {
    /* Set by the harness before the run. */
    uint32_t size; /* sizeof(struct trace): both sides agree */
    uint32_t fault_count;
    struct trace_name name[TRACE_NAMES];
    struct fault fault[FAULT_MAX];
    _Atomic uint16_t conn_of_port[TRACE_PORTS]; /* peer's port -> number */
    uint32_t numbers_connects; /* the program is the client: its successful
                                * connects are numbered instead */
    uint32_t numbers_accepts;  /* the clients are none of ours: numbered in the
                                * order in which they are accepted */

    uint32_t recording; /* each call tells how it could have failed */

    _Atomic uint32_t over; /* who makes a call now ends: by the harness, or
                            * with TRACE_BEGUN_MOST processes */

    _Atomic uint32_t begun_most; /* a futex: who would begin one more process
                                  * waits until this grows; 0: nobody does */

    _Atomic uint32_t descriptors_cut; /* their limit is lowered for a while */

    /* Bytes that the kernel keeps for connections made or accepted; 0: as many
     * as it likes. */
    _Atomic uint32_t send_buffer, receive_buffer;

    /* Time flies: while more than 0 ms are left, a pause, or a wait for
     * descriptors that has a time-out, takes no time, but off these. */
    _Atomic int64_t pauses_fly_ms, waits_fly_ms;

    _Atomic uint32_t debug; /* a futex: changes to OFF to let it go on */

    /* Written by the interposer during the run. */
    _Atomic int32_t debug_pid; /* who waits for the debugger; 0: nobody */
    _Atomic uint32_t seq;      /* grows with each entry and return */
    _Atomic uint32_t waiters;  /* harnesses asleep on the bell ... */
    _Atomic uint32_t wake_at;  /* ... until seq has come so far */
    _Atomic uint32_t bell;     /* a futex */
    _Atomic uint32_t entries;  /* calls entered so far */
    _Atomic uint32_t calls;    /* the same without memory and masks: what
                                * counts when we ask whether it spins */
    _Atomic uint32_t processes;
    _Atomic uint32_t threads; /* thread slots handed out */
    _Atomic uint32_t connects;
    _Atomic uint32_t listens;       /* successful listen(2)s */
    _Atomic uint32_t accepted;      /* accepts that gave a connection */
    _Atomic uint32_t accept_errors; /* accepts that failed, EAGAIN aside */
    _Atomic uint32_t waits;         /* readiness calls and accepts entered */
    _Atomic uint32_t wakeups;       /* waits and pauses that ended */
    _Atomic uint64_t moved;         /* bytes read and written */
    _Atomic uint64_t paused_ms;     /* time-outs that ran to their end */
    _Atomic uint32_t timed_sockets; /* SO_RCVTIMEO or SO_SNDTIMEO was set */
    _Atomic uint64_t alarm_over_ns; /* by clock_ns(): what alarm and setitimer
                                     * have armed has gone off long since */
    _Atomic uint32_t long_alarms;   /* they were armed for TRACE_TIMER_MS or
                                     * more */
    _Atomic uint32_t timers;        /* timer_create and timerfd_create */
    _Atomic uint32_t timer_ms;      /* the longest that any of these was set to,
                                     * of those up to TRACE_PERIOD_MS */
    _Atomic uint32_t linger_ms;     /* the longest that SO_LINGER was set to */
    _Atomic uint32_t stdio_sockets; /* fdopen of a socket */
    _Atomic uint32_t unsafe;        /* unsafe calls in a handler */
    _Atomic uint32_t errno_lost;    /* handlers that left another errno */
    _Atomic uint32_t execs;
    uint64_t load_base; /* where the program's image lies: PIE's bias */
    uint64_t text_start, text_end;

    struct trace_thread thread[TRACE_THREADS];
    struct trace_record record[TRACE_RECORDS];
};

/* Makes the shared memory. Returns its descriptor (close-on-exec) and maps
 * it at *trace, or -1 with errno. Ends with trace_unmap() and close(). */
int trace_create(struct trace **trace);
void trace_unmap(struct trace *trace);

/* Empties it for a new run; plan, names and ports too. */
void trace_reset(struct trace *trace);

/* Sleeps until the trace has moved on from `seen`, or for `most_us`
 * microseconds. Returns at once where it has moved already. The second waits
 * until it has moved so many steps: who makes many calls wakes us for a few. */
void trace_wait(struct trace *trace, uint32_t seen, unsigned most_us);
void trace_wait_steps(struct trace *trace, uint32_t seen, uint32_t steps,
                      unsigned most_us);

/* The record of that serial, copied to *out. Returns false where it is
 * overwritten or not written yet. */
bool trace_get(struct trace *trace, uint32_t serial, struct trace_record *out);

/* The newest serial, and the one behind which what the ring still holds
 * begins: the program may have written any number there. */
uint32_t trace_newest(struct trace *trace);
uint32_t trace_oldest(uint32_t newest);

/* How many faults are planned. */
uint32_t trace_faults(const struct trace *trace);

/* The newest record for which `match` returns true; and the oldest of that
 * call. They return false where the ring holds none. */
typedef bool trace_match(const struct trace_record *record, const void *arg);
bool trace_find_last(struct trace *trace, trace_match *match, const void *arg,
                     struct trace_record *out);
bool trace_find_call(struct trace *trace, enum call_id call,
                     struct trace_record *out);

/* The slot of a thread, by thread id. NULL: it never made a call. */
struct trace_thread *trace_thread_of(struct trace *trace, pid_t tid);

/* Opens the gate of the plan's fault number `index` for all its callers,
 * now and later. */
void trace_open_gate(struct trace *trace, unsigned index);

/* Has the program begin up to `most` processes, in all, before the next one
 * waits for us. */
void trace_let_begin(struct trace *trace, uint32_t most);

#endif
