/* rest.c - proving rest by /proc/PID/task/TID/{stat,schedstat,syscall}. */
#define _GNU_SOURCE
#include "rest.h"

#include "clock.h"

#include <linux/futex.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS 2048

/* A wait for something that may last so long counts as patient: what it does at
 * its end is no part of what it does now. */
#define PATIENT_MS 200

/* proc(5) tells the call and its arguments; the manual page of each call
 * tells which of them is the time-out. */
static bool has_timeout(const struct census_thread *thread)
{
    switch (thread->syscall) {
#ifdef SYS_poll
    case SYS_poll:
        return (int)thread->arg[2] >= 0;
#endif
#ifdef SYS_select
    case SYS_select:
        return thread->arg[4] != 0;
#endif
    case SYS_ppoll:
        return thread->arg[2] != 0;
    case SYS_pselect6:
        return thread->arg[4] != 0;
#ifdef SYS_epoll_wait
    case SYS_epoll_wait:
#endif
    case SYS_epoll_pwait:
        return (int)thread->arg[3] >= 0;
#ifdef SYS_epoll_pwait2
    case SYS_epoll_pwait2:
        return thread->arg[3] != 0;
#endif
    case SYS_futex:
        return thread->arg[3] != 0;
    case SYS_rt_sigtimedwait:
        return thread->arg[2] != 0;
    case SYS_nanosleep:
    case SYS_clock_nanosleep:
        return true;
    default:
        return false;
    }
}

/* Could this be a call on a socket? That may have a time-out of its own. */
static bool moves_bytes(const struct census_thread *thread)
{
    static const long calls[] = {
        SYS_read,    SYS_readv,  SYS_recvfrom, SYS_recvmsg,  SYS_recvmmsg,
        SYS_write,   SYS_writev, SYS_sendto,   SYS_sendmsg,  SYS_sendmmsg,
        SYS_connect, SYS_accept, SYS_accept4,  SYS_sendfile, SYS_splice};

    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
        if (thread->syscall == calls[i])
            return true;
    return false;
}

/* Of a socket with SO_LINGER it waits for the other end, for a while. */
static bool closes(const struct census_thread *thread)
{
    return thread->syscall == SYS_close || thread->syscall == SYS_dup3
#ifdef SYS_dup2
           || thread->syscall == SYS_dup2
#endif
        ;
}

static bool is_under_way(const struct trace_record *record, const void *tid)
{
    return record->tid == *(const int32_t *)tid && record->returned == 0;
}

/* A timespec in the program's memory, less `from`, in ms; or 0: it cannot be
 * read. */
static int64_t ms_at(const struct census_thread *thread, uint64_t address,
                     struct timespec from)
{
    struct timespec t;
    struct iovec here = {&t, sizeof(t)};
    struct iovec there = {(void *)(uintptr_t)address, sizeof(t)};

    if (process_vm_readv(thread->tid, &here, 1, &there, 1, 0) != sizeof(t))
        return 0;
    return (int64_t)(t.tv_sec - from.tv_sec) * 1000 +
           (t.tv_nsec - from.tv_nsec) / 1000000;
}

static struct timespec now_by(clockid_t clock)
{
    struct timespec now = {0};

    clock_gettime(clock, &now);
    return now;
}

static const struct timespec begin;

/* futex(2): FUTEX_WAIT has so long, FUTEX_WAIT_BITSET
 * (pthread_cond_timedwait(3) and its like) the time when it ends. */
static int64_t futex_ms(const struct census_thread *thread)
{
    uint64_t op = thread->arg[1];

    if ((op & FUTEX_CMD_MASK) == FUTEX_WAIT)
        return ms_at(thread, thread->arg[3], begin);
    return ms_at(
        thread, thread->arg[3],
        now_by(op & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC));
}

/* How long the call may last that the thread is in; -1: for ever, 0: the trace
 * does not know. */
static int64_t call_ms(struct trace *trace, const struct census_thread *thread)
{
    const int32_t tid = thread->tid;
    struct trace_record record;

    return trace_find_last(trace, is_under_way, &tid, &record)
               ? record.timeout_ms
               : 0;
}

/* How long it may wait, with a time-out; 0: that cannot be known. */
static int64_t wait_ms(struct trace *trace, const struct census_thread *thread)
{
    switch (thread->syscall) {
    case SYS_nanosleep:
        return ms_at(thread, thread->arg[0], begin);
    case SYS_clock_nanosleep:
        return ms_at(thread, thread->arg[2],
                     thread->arg[1] & TIMER_ABSTIME
                         ? now_by((clockid_t)thread->arg[0])
                         : begin);
    case SYS_futex:
        return futex_ms(thread);
    case SYS_rt_sigtimedwait:
        return ms_at(thread, thread->arg[2], begin);
    default:
        return call_ms(trace, thread);
    }
}

/* Does it wait for nothing but the end of its time-out? */
static bool only_pauses(const struct census_thread *thread)
{
    switch (thread->syscall) {
#ifdef SYS_poll
    case SYS_poll:
#endif
    case SYS_ppoll:
        return thread->arg[1] == 0;
#ifdef SYS_select
    case SYS_select:
#endif
    case SYS_pselect6:
        return !thread->arg[1] && !thread->arg[2] && !thread->arg[3];
    case SYS_nanosleep:
    case SYS_clock_nanosleep:
        return true;
    default:
        return false;
    }
}

/* A call that was stopped and continued: the trace knows what it was. */
static enum rest_state state_continued(struct trace *trace,
                                       const struct census_thread *thread,
                                       int64_t *ms)
{
    const struct trace_thread *slot = trace_thread_of(trace, thread->tid);

    *ms = call_ms(trace, thread);
    if (!slot)
        return REST_TIMED;
    switch (call_family(atomic_load(&slot->call))) {
    case FAMILY_POLL:
        return *ms < 0 ? REST_BLOCKED : REST_TIMED;
    case FAMILY_PAUSE:
    case FAMILY_NONE:
        return REST_TIMED;
    default:
        return REST_BLOCKED;
    }
}

/* Of a thread that sleeps: its state, and how long it may wait. */
static enum rest_state state_asleep(struct trace *trace,
                                    const struct census_thread *thread,
                                    int64_t *ms)
{
    if (thread->syscall == SYS_restart_syscall)
        return state_continued(trace, thread, ms);
    if (has_timeout(thread)) {
        *ms = wait_ms(trace, thread);
        return *ms >= PATIENT_MS && !only_pauses(thread) ? REST_PATIENT
                                                         : REST_TIMED;
    }
    if (closes(thread) && atomic_load(&trace->linger_ms) > 0) {
        *ms = atomic_load(&trace->linger_ms);
        return REST_TIMED;
    }
    if (atomic_load(&trace->timed_sockets) == 0 || !moves_bytes(thread))
        return REST_BLOCKED;
    /* The time-out of a connect is not in the trace. */
    *ms = thread->syscall == SYS_connect ? 0 : call_ms(trace, thread);
    return *ms < 0             ? REST_BLOCKED
           : *ms >= PATIENT_MS ? REST_PATIENT
                               : REST_TIMED;
}

static enum rest_state state_of(struct trace *trace,
                                const struct census_thread *thread, int64_t *ms)
{
    *ms = 0;
    if (thread->state == 'T' || thread->state == 't')
        return REST_BLOCKED;
    if (thread->state != 'S')
        return thread->state == 'Z' || thread->state == 'X' ? REST_BLOCKED
                                                            : REST_BUSY;
    if (thread->syscall < 0) /* it is about to run; or we may not look */
        return REST_BUSY;
    return state_asleep(trace, thread, ms);
}

/* Busy before timed, timed before blocked. */
static void add_thread(struct rest *rest, struct trace *trace,
                       const struct census_thread *thread)
{
    int64_t ms;
    enum rest_state state = state_of(trace, thread, &ms);

    if (ms > rest->longest_ms && ms <= REST_SOON_MS)
        rest->longest_ms = ms;
    rest->threads++;
    rest->busy += state == REST_BUSY;
    rest->timed += state == REST_TIMED || state == REST_PATIENT;
    rest->cpu_ns += thread->cpu_ns;
    rest->turns += thread->turns;
    rest->stopped |= thread->state == 'T';
    if (state < rest->state)
        rest->state = state;
}

static void add_process(struct rest *rest, struct program *program,
                        const struct census_process *process,
                        struct census_thread *threads)
{
    if (process->state == 'Z') {
        rest->zombies++;
        return;
    }
    size_t count = census_threads_of(process, threads, THREADS);
    rest->processes++;
    for (size_t i = 0; i < count; i++)
        add_thread(rest, program->trace, &threads[i]);
    if (count == 0)
        rest->state = REST_BUSY; /* it went while we looked */
    if (rest->state <= REST_TIMED || !atomic_load(&program->trace->timers))
        return;
    enum census_timer timer = census_timer(process->pid);
    if (rest->timer < timer)
        rest->timer = timer;
    if (timer == CENSUS_TIMER_ARMED)
        rest->state = REST_TIMED;
}

/* alarm(2) and setitimer(2): no call, nothing in /proc. */
static enum rest_state alarm_state(const struct trace *trace)
{
    if (clock_ns() < atomic_load(&trace->alarm_over_ns))
        return REST_TIMED;
    return atomic_load(&trace->long_alarms) > 0 ? REST_PATIENT : REST_BLOCKED;
}

/* What was orphaned came to us; its zombies are ours to reap, as init's. */
static bool is_reaped(const struct census_process *process)
{
    return process->state == 'Z' && process->parent == getpid() &&
           waitpid(process->pid, NULL, WNOHANG) == process->pid;
}

/* Busy or not, all are added: their CPU time is held against the last look. */
static void add_all(struct rest *rest, struct program *program,
                    const struct census *census, struct census_thread *threads)
{
    for (size_t i = 0; i < census->count; i++)
        if (!is_reaped(&census->process[i]))
            add_process(rest, program, &census->process[i], threads);
}

int rest_look(struct rest *rest, struct program *program)
{
    struct census own = {0}, orphans = {0};
    struct census_thread *threads = malloc(THREADS * sizeof(*threads));
    enum rest_state alarms = alarm_state(program->trace);
    int result = -1;

    memset(rest, 0, sizeof(*rest));
    rest->state = REST_BLOCKED;
    rest->seq = atomic_load(&program->trace->seq);
    if (!threads || census_take(&own, program->server, 0) < 0 ||
        census_take(&orphans, getpid(), program->server) < 0)
        goto out;
    add_all(rest, program, &own, threads);
    add_all(rest, program, &orphans, threads);
    if (rest->processes == 0 && rest->state == REST_BLOCKED)
        rest->state = REST_GONE;
    else if (rest->state > alarms)
        rest->state = alarms;
    result = 0;
out:
    census_release(&own);
    census_release(&orphans);
    free(threads);
    return result;
}

bool rest_has_timeout(const struct rest *rest)
{
    return rest->state == REST_TIMED || rest->state == REST_PATIENT;
}

static bool nothing_ran(const struct rest *before, const struct rest *now)
{
    return before->seq == now->seq && before->processes == now->processes &&
           before->zombies == now->zombies && before->threads == now->threads &&
           before->cpu_ns == now->cpu_ns && before->turns == now->turns;
}

bool rest_same(const struct rest *before, const struct rest *now)
{
    return before->state == now->state && nothing_ran(before, now);
}

void rest_recall_timer(struct rest *armed, struct rest *now)
{
    if (now->timer == CENSUS_TIMER_ARMED)
        *armed = *now;
    else if (armed->timer == CENSUS_TIMER_ARMED &&
             now->timer == CENSUS_TIMER_NONE && now->state > REST_TIMED &&
             nothing_ran(armed, now))
        now->state = REST_TIMED;
}
