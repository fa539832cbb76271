/* blame_call.c - the call of the trace that explains a verdict most. */
#define _GNU_SOURCE
#include "blame_internal.h"

#include "stack.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

/* As many calls as a program makes between a failure and its end, or in a
 * turn of its loop. */
#define NEAR 16

static uint32_t newest(const struct play *play)
{
    return trace_newest(play->program->trace);
}

static uint32_t oldest(const struct play *play)
{
    return trace_oldest(newest(play)) + 1;
}

bool blame_find(struct play *play, blame_match *match,
                struct trace_record *record)
{
    struct trace *trace = play->program->trace;

    return trace_find_last(trace, match, play, record);
}

/* ---- What a record is ---- */

static enum call_family family_of(const struct trace_record *record)
{
    return call_family(record->call);
}

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

static bool is_transfer(const struct trace_record *record)
{
    return family_of(record) == FAMILY_READ ||
           family_of(record) == FAMILY_WRITE;
}

/* ---- Ends ---- */

static bool is_first_exit(const struct trace_record *record, const void *play)
{
    return blame_is_first(record, play) && family_of(record) == FAMILY_EXIT;
}

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

    for (uint32_t serial = newest(play); serial >= oldest(play) && seen < NEAR;
         serial--) {
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

static bool is_first_close(const struct trace_record *record, const void *play)
{
    return blame_is_first(record, play) && family_of(record) == FAMILY_CLOSE;
}

/* A wait for a descriptor that is closed: who closed it? */
static bool find_careless_close(struct play *play, struct trace_record *record)
{
    return find_failure_or_last(play, record) && record->error == EBADF &&
           family_of(record) == FAMILY_POLL &&
           blame_find(play, is_first_close, record);
}

bool blame_find_death(struct play *play, struct trace_record *record)
{
    int status = play->program->status;

    if (WIFSIGNALED(status))
        return find_killer(play, record);
    if (find_careless_close(play, record))
        return true;
    if (blame_find(play, is_first_exit, record))
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
    default:
        return record->returned && record->result == 0 ? 2 : 1;
    }
}

bool blame_find_spin(struct play *play, struct trace_record *record)
{
    struct trace_record at;
    unsigned seen = 0;
    int best = -1;

    for (uint32_t serial = newest(play); serial >= oldest(play) && seen < NEAR;
         serial--) {
        if (!trace_get(play->program->trace, serial, &at) || at.caller[0] == 0)
            continue;
        if (spin_weight(&at) > best) {
            best = spin_weight(&at);
            *record = at;
        }
        seen++;
    }
    return best >= 0;
}

/* ---- The bytes of a connection ---- */

struct flow {
    uint64_t read, written;
    struct trace_record accept, last_read, last_write, last_close;
    bool edge_triggered;
};

static bool waits_unseen(const struct play *play, pid_t tid)
{
    const struct trace_thread *slot =
        trace_thread_of(play->program->trace, tid);

    return slot && atomic_load(&slot->call) == CALL_none;
}

#define EDGE (1u << 31) /* EPOLLET, epoll_ctl(2) */

static void add_to_flow(struct flow *flow, const struct trace_record *record)
{
    bool reads = family_of(record) == FAMILY_READ;

    if (family_of(record) == FAMILY_ACCEPT)
        flow->accept = *record;
    if (family_of(record) == FAMILY_CLOSE)
        flow->last_close = *record;
    if (family_of(record) == FAMILY_EPOLL_CTL)
        flow->edge_triggered |= ((uint64_t)record->arg[1] & EDGE) != 0;
    if (!is_transfer(record) || record->returned == 0)
        return;
    *(reads ? &flow->last_read : &flow->last_write) = *record;
    if (record->result > 0)
        *(reads ? &flow->read : &flow->written) += (uint64_t)record->result;
}

static void take_flow(struct play *play, struct flow *flow)
{
    struct trace_record record;

    memset(flow, 0, sizeof(*flow));
    for (uint32_t serial = oldest(play); serial <= newest(play); serial++)
        if (trace_get(play->program->trace, serial, &record) &&
            record.conn == play->blame_conn && record.caller[0] != 0)
            add_to_flow(flow, &record);
}

bool blame_find_flow(struct play *play, struct trace_record *record)
{
    struct flow flow;
    bool write_is_newer;

    if (!play->blame_conn)
        return false;
    take_flow(play, &flow);
    write_is_newer = flow.last_write.serial > flow.last_read.serial;
    if (flow.read == flow.written && play->hangs && !flow.edge_triggered)
        return false; /* it waits, and does not see that there is more */
    if (play->hangs && waits_unseen(play, flow.last_read.tid))
        return false; /* for a lock: who has it? */
    if (flow.written > flow.read ||
        (write_is_newer &&
         (flow.read > flow.written || flow.last_write.result < 0)))
        *record = flow.last_write;
    else
        *record = flow.last_read;
    return record->serial != 0;
}

static const struct peer *user_of(const struct play *play)
{
    for (size_t i = 0; i < play->peers; i++)
        if (play->peer[i]->kind == PEER_USER)
            return play->peer[i];
    return NULL;
}

static bool is_output(const struct trace_record *record, const void *play)
{
    return blame_is_first(record, play) && record->fd == 1 &&
           (family_of(record) == FAMILY_PRINT ||
            family_of(record) == FAMILY_WRITE);
}

/* On its way to the user a byte is read, and printed. */
static bool find_output(struct play *play, const struct flow *flow,
                        struct trace_record *record)
{
    if (blame_find(play, is_output, record))
        return true;
    *record = flow->last_read;
    return record->serial != 0;
}

bool blame_find_bytes(struct play *play, struct trace_record *record)
{
    const struct peer *user = user_of(play);
    struct flow flow;

    take_flow(play, &flow);
    if (user && flow.written == user->sent)
        return find_output(play, &flow, record);
    *record = flow.last_write;
    return record->serial != 0;
}

bool blame_find_kept_back(struct play *play, struct trace_record *record)
{
    const struct peer *user = user_of(play);
    struct flow flow;

    if (!user || !play->blame_conn)
        return false;
    take_flow(play, &flow);
    return flow.read > user->received && find_output(play, &flow, record);
}

static bool is_on_connection(const struct trace_record *record,
                             const void *play)
{
    const struct play *of = play;

    if (record->caller[0] == 0)
        return false;
    if (record->call == CALL_poll || record->call == CALL_ppoll)
        return record->arg[1] == of->blame_conn;
    if (record->conn != of->blame_conn)
        return false;
    switch (family_of(record)) {
    case FAMILY_ACCEPT:
    case FAMILY_CLOSE:
    case FAMILY_EPOLL_CTL:
    case FAMILY_FCNTL:
    case FAMILY_SETSOCKOPT:
        return false;
    default:
        return true;
    }
}

/* Of two threads of a process one has served it, the other closed it. */
static bool is_closed_by_another(const struct flow *flow)
{
    const struct trace_record *close = &flow->last_close;

    return close->serial > flow->last_read.serial &&
           close->pid == flow->last_read.pid &&
           close->tid != flow->last_read.tid;
}

bool blame_find_early_end(struct play *play, struct trace_record *record)
{
    struct flow flow;

    if (!play->blame_conn || play->hangs)
        return false;
    take_flow(play, &flow);
    *record = flow.last_close;
    if (is_closed_by_another(&flow))
        return true;
    *record = flow.last_read;
    return record->serial > flow.last_write.serial && record->result == 0 &&
           flow.read > flow.written;
}

/* The wait before its close: that told it something, and it did not read. Or
 * the close: it was turned away at once. */
static bool find_last_wait(struct play *play, struct trace_record *record)
{
    struct flow flow;

    take_flow(play, &flow);
    for (uint32_t serial = flow.last_close.serial; serial >= oldest(play);
         serial--) {
        if (!trace_get(play->program->trace, serial, record) ||
            record->tid != flow.last_close.tid || record->caller[0] == 0)
            continue;
        if (record->serial == flow.accept.serial)
            *record = flow.last_close;
        else if (family_of(record) != FAMILY_POLL)
            continue;
        return true;
    }
    return false;
}

bool blame_find_last_on(struct play *play, struct trace_record *record)
{
    return play->blame_conn && (blame_find(play, is_on_connection, record) ||
                                find_last_wait(play, record));
}

/* ---- Hangs ---- */

static bool is_open_call(const struct trace_record *record, const void *tid)
{
    return record->returned == 0 && record->caller[0] != 0 &&
           record->tid == *(const int32_t *)tid;
}

/* Where a thread stands: by the trace, or by its stack. */
bool blame_find_standing(struct play *play, const struct trace_thread *slot,
                         struct trace_record *record)
{
    struct trace *trace = play->program->trace;
    int32_t tid = atomic_load(&slot->tid);

    if (atomic_load(&slot->call) != CALL_none)
        return trace_find_last(trace, is_open_call, &tid, record);
    memset(record, 0, sizeof(*record));
    return stack_callers(slot->pid, tid, trace->text_start, trace->text_end,
                         record->caller, TRACE_CALLERS) > 0;
}

/* How much a blocked thread explains of a hang at a connection that nobody
 * serves: the first process waits for a child or a thread; or its first
 * thread for another client; or anybody does. */
static int weight_of(const struct play *play, const struct trace_thread *slot)
{
    enum call_family family = call_family(atomic_load(&slot->call));
    bool first = slot->pid == play->program->pid;

    if (first && (family == FAMILY_WAIT || family == FAMILY_PTHREAD_JOIN))
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
