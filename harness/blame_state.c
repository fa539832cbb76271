/* blame_state.c - the call behind what the kernel shows: who left a child, a
 * process, a descriptor, a line as it is. */
#define _GNU_SOURCE
#include "blame_internal.h"

#include "stack.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

/* ---- Children that are left as zombies ---- */

static bool is_about_sigchld(const struct trace_record *record,
                             const void *play)
{
    (void)play;
    return record->caller[0] != 0 && family_of(record) == FAMILY_SIGNAL &&
           record->arg[0] == SIGCHLD;
}

static bool is_in(uint64_t set, int signal)
{
    return set & (UINT64_C(1) << (signal - 1));
}

bool blame_find_reaper(struct play *play, struct trace_record *record)
{
    pid_t pid = play->program->pid;
    uint64_t blocked = 0, caught = 0;
    struct trace_record set;
    bool was_set = blame_find(play, is_about_sigchld, &set);

    if (census_blocked(pid, pid, &blocked) < 0 ||
        census_caught(pid, &caught) < 0)
        return false;
    if (was_set && set.pid == pid && !is_in(caught, SIGCHLD)) {
        *record = set; /* and is gone: SA_RESETHAND */
        return true;
    }
    if (blame_find_own(play, FAMILY_WAIT, record))
        return true;
    if (is_in(blocked, SIGCHLD) && blame_find_own(play, FAMILY_SIGMASK, record))
        return true;
    *record = set;
    return was_set;
}

/* ---- Processes that linger ---- */

static const struct peer *client_of(const struct play *play, int conn)
{
    for (size_t i = 0; i < play->peers; i++)
        if (play->peer[i]->number == conn && play->peer[i]->kind == PEER_CLIENT)
            return play->peer[i];
    return NULL;
}

static bool is_connected(const struct play *play, int conn)
{
    const struct peer *peer = client_of(play, conn);

    return peer && !peer->eof && !peer->error && !peer->half_closed &&
           peer->in >= 0;
}

static bool is_open_in(const struct trace_record *record, const void *pid)
{
    return record->pid == *(const pid_t *)pid && record->returned == 0 &&
           record->caller[0] != 0;
}

static bool is_transfer_in(const struct trace_record *record, const void *pid)
{
    return record->pid == *(const pid_t *)pid && record->conn > 0 &&
           record->caller[0] != 0 &&
           (family_of(record) == FAMILY_READ ||
            family_of(record) == FAMILY_WRITE);
}

/* The child has come to a place where the first process is, too. */
static bool is_shared_place(struct play *play,
                            const struct trace_record *record)
{
    struct trace *trace = play->program->trace;
    struct trace_record at;

    for (uint32_t serial = atomic_load(&trace->entries); serial > 0; serial--)
        if (!trace_get(trace, serial, &at))
            return false;
        else if (blame_is_first(&at, play) && at.call == record->call &&
                 at.caller[0] == record->caller[0])
            return true;
    return false;
}

static bool find_lingering(struct play *play, pid_t pid,
                           struct trace_record *record)
{
    struct trace *trace = play->program->trace;

    if (trace_find_last(trace, is_open_in, &pid, record)) {
        if (record->conn > 0 && is_connected(play, record->conn))
            return false; /* it serves */
        return !is_shared_place(play, record) ||
               trace_find_last(trace, is_transfer_in, &pid, record);
    }
    memset(record, 0, sizeof(*record));
    return stack_callers(pid, pid, trace->text_start, trace->text_end,
                         record->caller, TRACE_CALLERS) > 0;
}

bool blame_find_lingerer(struct play *play, struct trace_record *record)
{
    pid_t pids[64];
    size_t count = play_children(play, pids, 64);

    for (size_t i = count; i-- > 0;)
        if (find_lingering(play, pids[i], record))
            return true;
    return blame_find_own(play, FAMILY_FORK, record);
}

bool blame_find_thread(struct play *play, struct trace_record *record)
{
    return blame_find_own(play, FAMILY_PTHREAD_CREATE, record);
}

/* ---- Descriptors that are still held ---- */

static bool makes_descriptor(const struct trace_record *record)
{
    switch (family_of(record)) {
    case FAMILY_ACCEPT:
    case FAMILY_SOCKET:
    case FAMILY_DUP:
        return true;
    default:
        return false;
    }
}

/* What failed right behind the accept: the connection was not to be served. */
static void follow_failure(struct play *play, struct trace_record *record)
{
    struct trace_record at;

    for (uint32_t serial = record->serial + 1; serial <= record->serial + 8;
         serial++)
        if (trace_get(play->program->trace, serial, &at) &&
            at.tid == record->tid && blame_is_failure(&at)) {
            *record = at;
            return;
        }
}

bool blame_find_descriptor(struct play *play, struct trace_record *record)
{
    struct trace *trace = play->program->trace;

    for (uint32_t serial = atomic_load(&trace->entries); serial > 0; serial--) {
        if (!trace_get(trace, serial, record))
            return false;
        if (!blame_is_first(record, play))
            continue;
        if (makes_descriptor(record) && record->result == play->blame_fd) {
            follow_failure(play, record);
            return true;
        }
        if (record->fd == play->blame_fd)
            return true;
    }
    return false;
}

static bool is_last_of_holder(const struct trace_record *record,
                              const void *play)
{
    const struct play *of = play;

    return record->pid == of->blame_pid && record->caller[0] != 0 &&
           record->conn == of->blame_conn;
}

/* Whoever still holds the connection; of several the one that used it last. */
static void find_holder(struct play *play)
{
    struct trace *trace = play->program->trace;
    const struct peer *peer = client_of(play, play->blame_conn);
    struct trace_record record;

    for (uint32_t serial = atomic_load(&trace->entries);
         peer && serial > 0 && trace_get(trace, serial, &record); serial--)
        if (record.conn == peer->number && record.caller[0] != 0 &&
            play_holds(play, record.pid, peer)) {
            play->blame_pid = record.pid;
            return;
        }
}

static bool find_next(const struct play *play,
                      const struct trace_record *before,
                      struct trace_record *next)
{
    struct trace *trace = play->program->trace;

    for (uint32_t serial = before->serial + 1; serial <= trace_newest(trace);
         serial++)
        if (trace_get(trace, serial, next) && next->tid == before->tid &&
            next->caller[0] != 0)
            return true;
    return false;
}

/* It found the end, or a failure, and then closed something else. */
static void follow_wrong_close(const struct play *play,
                               struct trace_record *record)
{
    enum call_family family = family_of(record);
    struct trace_record next;

    if ((family == FAMILY_READ || family == FAMILY_WRITE) && record->returned &&
        record->result <= 0 && find_next(play, record, &next) &&
        family_of(&next) == FAMILY_CLOSE)
        *record = next;
}

bool blame_find_holder(struct play *play, struct trace_record *record)
{
    if (!play->blame_pid)
        find_holder(play);
    if (!play->blame_pid || !blame_find(play, is_last_of_holder, record))
        return false;
    if (family_of(record) == FAMILY_ACCEPT)
        follow_failure(play, record);
    else
        follow_wrong_close(play, record);
    return true;
}

/* ---- Who may not come in ---- */

static bool is_listen(const struct trace_record *record, const void *play)
{
    return blame_is_first(record, play) && family_of(record) == FAMILY_LISTEN &&
           record->result == 0;
}

bool blame_find_listener(struct play *play, struct trace_record *record)
{
    struct trace *trace = play->program->trace;
    struct trace_record made, at;

    if (!blame_find(play, is_listen, &made))
        return false;
    for (uint32_t serial = made.serial + 1; serial; serial++)
        if (!trace_get(trace, serial, &at))
            break;
        else if (blame_is_first(&at, play) && at.fd == made.fd &&
                 (family_of(&at) == FAMILY_CLOSE ||
                  family_of(&at) == FAMILY_SHUTDOWN)) {
            *record = at;
            return true;
        }
    return blame_find_own(play, FAMILY_BIND, record);
}

static bool is_first_failure(const struct trace_record *record,
                             const void *play)
{
    return blame_is_first(record, play) && blame_is_failure(record);
}

bool blame_find_start(struct play *play, struct trace_record *record)
{
    return blame_find(play, is_first_failure, record) ||
           blame_find_own(play, FAMILY_BIND, record);
}

/* ---- Memory, wake-ups, lines ---- */

#define SITES 16

/* How much was asked for at each place. */
struct site {
    struct trace_record record; /* the last one there */
    uint64_t bytes;
};

static uint64_t add_site(struct site *sites, const struct trace_record *record)
{
    uint64_t bytes = (uint64_t)record->arg[0];
    int i = 0;

    if (record->call == CALL_calloc)
        bytes *= (uint64_t)record->arg[1];
    while (i < SITES - 1 && sites[i].bytes > 0 &&
           sites[i].record.caller[0] != record->caller[0])
        i++;
    sites[i].record = *record;
    sites[i].bytes += bytes;
    return bytes;
}

bool blame_find_allocation(struct play *play, struct trace_record *record)
{
    uint32_t newest = trace_newest(play->program->trace);
    uint32_t oldest = trace_oldest(newest);
    struct site sites[SITES] = {0};
    struct trace_record at;
    uint64_t all = 0;

    for (uint32_t serial = oldest + 1; serial <= newest; serial++)
        if (trace_get(play->program->trace, serial, &at) &&
            family_of(&at) == FAMILY_MALLOC && at.caller[0] != 0)
            all += add_site(sites, &at);
    for (int i = 0; i < SITES; i++)
        if (sites[i].bytes > 0 && sites[i].bytes >= all / 10 * 9) {
            *record = sites[i].record;
            return true;
        }
    return false; /* which of them is it? */
}

static bool is_wake(const struct trace_record *record, const void *play)
{
    (void)play;
    return record->caller[0] != 0 && record->returned != 0 &&
           (family_of(record) == FAMILY_POLL ||
            family_of(record) == FAMILY_PAUSE);
}

bool blame_find_wake(struct play *play, struct trace_record *record)
{
    return blame_find(play, is_wake, record);
}

static bool is_print(const struct trace_record *record, const void *play)
{
    (void)play;
    return record->caller[0] != 0 &&
           (family_of(record) == FAMILY_PRINT ||
            (family_of(record) == FAMILY_WRITE && record->conn == 0 &&
             (record->fd == 1 || record->fd == 2)));
}

static bool is_break(const struct trace_record *record, const void *play)
{
    (void)play;
    return record->conn > 0 && blame_is_failure(record) &&
           (family_of(record) == FAMILY_READ ||
            family_of(record) == FAMILY_WRITE);
}

static bool is_quick_exit(const struct trace_record *record, const void *play)
{
    return blame_is_first(record, play) && record->call == CALL__exit;
}

bool blame_find_line(struct play *play, struct trace_record *record)
{
    struct trace_record broke;
    bool printed = blame_find(play, is_print, record);

    if (printed && blame_find(play, is_quick_exit, &broke)) {
        *record = broke; /* what was printed may lie in the buffer */
        return true;
    }

    if (!blame_find(play, is_break, &broke) ||
        (printed && record->serial > broke.serial))
        return printed;
    *record = broke; /* and nothing was said of it */
    return true;
}

bool blame_find_status(struct play *play, struct trace_record *record)
{
    struct trace_record line;

    return blame_find(play, is_print, &line) && blame_is_first(&line, play) &&
           blame_find_own(play, FAMILY_WAIT, record) && record->result > 0 &&
           record->serial < line.serial;
}

static bool is_end(const struct trace_record *record, const void *play)
{
    return blame_is_first(record, play) &&
           (blame_is_failure(record) ||
            (family_of(record) == FAMILY_READ && record->returned != 0 &&
             record->result == 0));
}

bool blame_find_end(struct play *play, struct trace_record *record)
{
    return blame_find(play, is_end, record);
}

static bool is_spoiler(const struct trace_record *record, const void *play)
{
    (void)play;
    return record->caller[0] != 0 && record->in_handler && record->error != 0;
}

bool blame_find_spoiler(struct play *play, struct trace_record *record)
{
    return blame_find(play, is_spoiler, record);
}
