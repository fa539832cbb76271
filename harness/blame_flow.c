/* blame_flow.c - what became of the bytes of the connection in question: the
 * call that took them, lost them, or ended it too early. */
#define _GNU_SOURCE
#include "blame_internal.h"

#include <string.h>
#include <sys/socket.h>

static bool is_transfer(const struct trace_record *record)
{
    return family_of(record) == FAMILY_READ ||
           family_of(record) == FAMILY_WRITE;
}

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
    for (uint32_t serial = blame_oldest(play); serial <= blame_newest(play);
         serial++)
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

static bool is_half_close(const struct trace_record *record)
{
    return family_of(record) == FAMILY_SHUTDOWN && record->returned &&
           record->result == 0 && record->arg[0] != SHUT_RD;
}

/* It found the end, or a failure. */
static bool is_reason_to_end(const struct trace_record *record)
{
    return is_transfer(record) && (blame_is_failure(record) ||
                                   (family_of(record) == FAMILY_READ &&
                                    record->returned && record->result == 0));
}

bool blame_find_early_half_close(struct play *play, struct trace_record *record)
{
    const struct peer *user = user_of(play);

    if (!user || user->half_close || !play->blame_conn ||
        blame_find_injected(play, record))
        return false;
    for (uint32_t serial = blame_oldest(play); serial <= blame_newest(play);
         serial++) {
        if (!trace_get(play->program->trace, serial, record) ||
            record->caller[0] == 0)
            continue;
        if (is_reason_to_end(record))
            return false;
        if (record->conn == play->blame_conn && is_half_close(record))
            return true;
    }
    return false;
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

/* On the connection in question, or where it listens, which passes it on. */
static bool is_linger(const struct trace_record *record, const void *play)
{
    const struct play *of = play;

    return record->caller[0] != 0 && record->call == CALL_setsockopt &&
           (record->conn == 0 || record->conn == of->blame_conn) &&
           record->arg[0] == SOL_SOCKET && record->arg[1] == SO_LINGER;
}

bool blame_find_reset(struct play *play, struct trace_record *record)
{
    return blame_find(play, is_linger, record);
}

/* The wait before its close: that told it something, and it did not read. Or
 * the close: it was turned away at once. */
static bool find_last_wait(struct play *play, struct trace_record *record)
{
    struct flow flow;

    take_flow(play, &flow);
    for (uint32_t serial = flow.last_close.serial; serial >= blame_oldest(play);
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
