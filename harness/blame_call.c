/* blame_call.c - the call of the trace that explains a verdict most: how the
 * program ended, what was made to fail, where it spins or hangs. */
#define _GNU_SOURCE
#include "blame_internal.h"

#include "lock.h"
#include "stack.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

/* As many calls as a program makes between a failure and its end, or in a
 * turn of its loop. */
#define NEAR 16

uint32_t blame_newest(const struct play *play)
{
    return trace_newest(play->program->trace);
}

uint32_t blame_oldest(const struct play *play)
{
    return trace_oldest(blame_newest(play)) + 1;
}

bool blame_find(struct play *play, trace_match *match,
                struct trace_record *record)
{
    struct trace *trace = play->program->trace;

    return trace_find_last(trace, match, play, record);
}

struct own {
    const struct play *play;
    enum call_family family;
};

static bool is_own(const struct trace_record *record, const void *arg)
{
    const struct own *own = arg;

    return blame_is_first(record, own->play) &&
           family_of(record) == own->family;
}

bool blame_find_own(struct play *play, enum call_family family,
                    struct trace_record *record)
{
    const struct own own = {play, family};

    return trace_find_last(play->program->trace, is_own, &own, record);
}

/* ---- What a record is ---- */

bool blame_is_first(const struct trace_record *record, const void *play)
{
    const struct play *of = play;

    return record->caller[0] != 0 && record->pid == of->program->pid;
}

bool blame_is_injected(const struct trace_record *record)
{
    return record->caller[0] != 0 && record->injected != FAULT_NOTHING &&
           record->injected != FAULT_HOLD_AFTER;
}

/* Those that no program need mind, unless they were planned. */
static bool is_passing(int error)
{
    return error == EAGAIN || error == EINTR || error == EINPROGRESS ||
           error == ECHILD;
}

bool blame_is_failure(const struct trace_record *record)
{
    if (record->caller[0] == 0 || record->returned == 0)
        return false;
    if (family_of(record) == FAMILY_GETADDRINFO ||
        family_of(record) == FAMILY_PTHREAD_CREATE)
        return record->result != 0;
    return record->result == -1 &&
           (blame_is_injected(record) || !is_passing(record->error));
}

/* ---- Ends ---- */

static bool is_childs_exit(const struct trace_record *record, const void *play)
{
    return !blame_is_first(record, play) && family_of(record) == FAMILY_EXIT &&
           record->caller[0] != 0;
}

bool blame_find_childs_exit(struct play *play, struct trace_record *record)
{
    return blame_find(play, is_childs_exit, record);
}

static bool is_deadly_write(const struct trace_record *record, const void *play)
{
    return blame_is_first(record, play) && family_of(record) == FAMILY_WRITE &&
           record->returned == 0;
}

static bool is_deadly_kill(const struct trace_record *record, const void *play)
{
    const struct play *of = play;

    return record->caller[0] != 0 && family_of(record) == FAMILY_KILL &&
           record->arg[1] == WTERMSIG(of->program->status);
}

/* Of the first process's last calls the newest that failed, else its last. */
static bool find_failure_or_last(struct play *play, struct trace_record *record)
{
    struct trace_record at;
    bool found = false;
    unsigned seen = 0;

    for (uint32_t serial = blame_newest(play);
         serial >= blame_oldest(play) && seen < NEAR; serial--) {
        if (!trace_get(play->program->trace, serial, &at) ||
            !blame_is_first(&at, play))
            continue;
        if (!found || blame_is_failure(&at) || blame_is_injected(&at))
            *record = at;
        found = true;
        if (blame_is_failure(&at) || blame_is_injected(&at))
            break;
        seen++;
    }
    return found;
}

static bool find_killer(struct play *play, struct trace_record *record)
{
    if (blame_find(play, is_deadly_kill, record))
        return true;
    switch (WTERMSIG(play->program->status)) {
    case SIGPIPE:
        return blame_find(play, is_deadly_write, record);
    case SIGTERM: /* the play's own */
    case SIGINT:
    case SIGKILL:
        return false;
    default:
        return find_failure_or_last(play, record);
    }
}

/* A wait for a descriptor that is closed: who closed it? */
static bool find_careless_close(struct play *play, struct trace_record *record)
{
    return find_failure_or_last(play, record) && record->error == EBADF &&
           family_of(record) == FAMILY_POLL &&
           blame_find_own(play, FAMILY_CLOSE, record);
}

bool blame_find_death(struct play *play, struct trace_record *record)
{
    int status = play->program->status;

    if (WIFSIGNALED(status))
        return find_killer(play, record);
    if (find_careless_close(play, record) ||
        (status == 0 && blame_find_early_half_close(play, record)))
        return true;
    if (blame_find_own(play, FAMILY_EXIT, record))
        return true;
    if (status == 0 && blame_find_injected(play, record))
        return true;
    return find_failure_or_last(play, record);
}

/* ---- Failures that were injected ---- */

static bool is_injected_there(const struct trace_record *record,
                              const void *play)
{
    const struct play *of = play;

    return blame_is_injected(record) && record->conn == of->blame_conn;
}

static bool is_injected_anywhere(const struct trace_record *record,
                                 const void *play)
{
    (void)play;
    return blame_is_injected(record);
}

bool blame_find_injected(struct play *play, struct trace_record *record)
{
    return (play->blame_conn && blame_find(play, is_injected_there, record)) ||
           blame_find(play, is_injected_anywhere, record);
}

/* ---- Spins ---- */

/* A call that fails is asked again; one that finds the end is not believed;
 * what only looks whether there is something to do says least. */
static int spin_weight(const struct trace_record *record)
{
    if (blame_is_failure(record))
        return 3;
    switch (family_of(record)) {
    case FAMILY_PRINT:
    case FAMILY_POLL:
        return 0;
    case FAMILY_READ:
    case FAMILY_WAIT:
        return record->returned && record->result == 0 ? 2 : 1;
    default:
        return 1;
    }
}

/* Of two that weigh the same the first of the program's text: which came last
 * is chance. */
static bool says_more(const struct trace_record *a,
                      const struct trace_record *b)
{
    int more = spin_weight(a) - spin_weight(b);

    return more > 0 || (more == 0 && a->caller[0] < b->caller[0]);
}

bool blame_find_spin(struct play *play, struct trace_record *record)
{
    struct trace_record at;
    unsigned seen = 0;

    for (uint32_t serial = blame_newest(play);
         serial >= blame_oldest(play) && seen < NEAR; serial--) {
        if (!trace_get(play->program->trace, serial, &at) || at.caller[0] == 0)
            continue;
        if (seen == 0 || says_more(&at, record))
            *record = at;
        seen++;
    }
    return seen > 0;
}

/* ---- Hangs ---- */

static bool is_open_call(const struct trace_record *record, const void *tid)
{
    return record->returned == 0 && record->caller[0] != 0 &&
           record->tid == *(const int32_t *)tid;
}

enum blame_lock blame_lock(struct play *play, const struct trace_thread *slot,
                           const struct trace_thread **holder)
{
    struct census_thread thread;
    pid_t tid = census_thread(slot->pid, atomic_load(&slot->tid), &thread)
                    ? lock_holder(&thread)
                    : 0;

    *holder = tid ? trace_thread_of(play->program->trace, tid) : NULL;
    if (!*holder)
        return LOCK_NONE;
    if (*holder == slot)
        return LOCK_ITS_OWN;
    if ((*holder)->pid != slot->pid && lock_is_private(&thread))
        return LOCK_COPIED;
    return census_lives((*holder)->pid, tid) ? LOCK_HELD : LOCK_LEFT;
}

/* Where a thread stands: by the trace, or by its stack, since a handler or a
 * function of atexit(3) may wait for a lock in the middle of a call. */
bool blame_find_standing(struct play *play, const struct trace_thread *slot,
                         struct trace_record *record)
{
    struct trace *trace = play->program->trace;
    const struct trace_thread *holder;
    int32_t tid = atomic_load(&slot->tid);

    if (atomic_load(&slot->call) != CALL_none &&
        blame_lock(play, slot, &holder) == LOCK_NONE)
        return trace_find_last(trace, is_open_call, &tid, record);
    memset(record, 0, sizeof(*record));
    return stack_callers(slot->pid, tid, trace->text_start, trace->text_end,
                         record->caller, TRACE_CALLERS) > 0;
}

static bool is_call_of(const struct trace_record *record, const void *tid)
{
    return record->caller[0] != 0 && record->tid == *(const int32_t *)tid;
}

enum blame_lock blame_find_lock(struct play *play, struct trace_record *record)
{
    struct trace *trace = play->program->trace;
    uint32_t count = atomic_load(&trace->threads);

    for (uint32_t i = 0; i < count && i < TRACE_THREADS; i++) {
        const struct trace_thread *holder;
        enum blame_lock lock = blame_lock(play, &trace->thread[i], &holder);

        if (lock == LOCK_NONE || lock == LOCK_HELD)
            continue;
        int32_t tid = atomic_load(&holder->tid);
        if ((lock == LOCK_LEFT &&
             trace_find_last(trace, is_call_of, &tid, record)) ||
            blame_find_standing(play, &trace->thread[i], record))
            return lock;
    }
    return LOCK_NONE;
}

/* How much a blocked thread explains of a hang at a connection that nobody
 * serves: the first process waits for a child or a thread; or its first
 * thread for another client; or anybody does. */
static int weight_of(const struct play *play, const struct trace_thread *slot)
{
    enum call_family family = call_family(atomic_load(&slot->call));
    bool first = slot->pid == play->program->pid;

    if (first && (family == FAMILY_WAIT || family == FAMILY_PTHREAD_JOIN ||
                  family == FAMILY_FORK)) /* vfork(2) */
        return 3;
    if (atomic_load(&slot->conn) == 0)
        return 0;
    return first && slot->thread <= 1 ? 2 : 1;
}

static bool is_there(const struct trace_thread *slot)
{
    return !strchr("XZ", census_state(slot->pid));
}

bool blame_find_blocked(struct play *play, struct trace_record *record)
{
    struct trace *trace = play->program->trace;
    uint32_t count = atomic_load(&trace->threads);
    const struct trace_thread *best = NULL;

    for (uint32_t i = 0; i < count && i < TRACE_THREADS; i++) {
        const struct trace_thread *slot = &trace->thread[i];

        if (atomic_load(&slot->call) == CALL_none || !is_there(slot))
            continue;
        if (play->blame_conn && atomic_load(&slot->conn) == play->blame_conn) {
            best = slot;
            break;
        }
        if (!best || weight_of(play, slot) > weight_of(play, best))
            best = slot;
    }
    return best && blame_find_standing(play, best, record);
}

bool blame_find_blocked_first(struct play *play, struct trace_record *record)
{
    const struct trace_thread *slot =
        trace_thread_of(play->program->trace, play->program->pid);

    return slot && is_there(slot) && blame_find_standing(play, slot, record);
}
