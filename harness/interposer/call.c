/* call.c - the record: what was called, by whom, and what came of it. */
#include "interposer.h"

#include "../clock.h"

#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>

struct real real;
struct trace *trace;
__thread struct self self __attribute__((tls_model("initial-exec")));

void trace_advance(void)
{
    uint32_t seq = atomic_fetch_add(&trace->seq, 1) + 1;

    /* Once: who is woken may have no processor for a while. */
    if (atomic_load(&trace->waiters) == 0 ||
        seq != atomic_load(&trace->wake_at))
        return;
    atomic_fetch_add(&trace->bell, 1);
    syscall(SYS_futex, &trace->bell, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

void wait_for_debugger(uint32_t point)
{
    if (atomic_load(&trace->debug) != point)
        return;
    atomic_store(&trace->debug_pid, getpid());
    trace_advance();
    while (atomic_load(&trace->debug) == point)
        syscall(SYS_futex, &trace->debug, FUTEX_WAIT, point, NULL, NULL, 0);
}

/* Were it by siglongjmp(3). The stack grows down: a frame above the handler's
 * has left it, and so has one below a stack of the handler's own. */
static bool has_left(const struct handling *handling, const char *frame)
{
    const char *lowest = handling->stack.ss_sp;

    return frame > handling->frame ||
           (handling->stack.ss_flags & SS_ONSTACK && frame < lowest);
}

static bool in_handler(const void *frame)
{
    if (self.handling.frame && has_left(&self.handling, frame))
        self.handling = (struct handling){0};
    return self.handling.frame != NULL;
}

/* A SIGPIPE that the thread's own write raised comes at a known place: its
 * handler may do anything. */
bool in_async_handler(void *frame)
{
    return in_handler(frame) &&
           !(self.handling.signal == SIGPIPE && self.own_sigpipe);
}

static bool in_submission(uint64_t address)
{
    return address >= trace->text_start && address < trace->text_end;
}

/* The submission keeps frame pointers, the libraries may not: walk only
 * while the return address lies in the submission, and only upwards. */
static void note_callers(struct trace_record *record, void *frame)
{
    uint64_t *at = frame;

    for (int n = 0; n < TRACE_CALLERS; n++) {
        uint64_t *above = (uint64_t *)at[0];

        if (!in_submission(at[1]))
            return;
        record->caller[n] = at[1];
        if (above <= at || (char *)above - (char *)at > 1 << 20 ||
            (uintptr_t)above % 8 != 0)
            return;
        at = above;
    }
}

static bool counts_as_call(int family)
{
    return family != FAMILY_MALLOC && family != FAMILY_UNSAFE &&
           family != FAMILY_PRINT && family != FAMILY_SIGMASK &&
           family != FAMILY_THREAD_START;
}

static void record_entry(struct call *c, enum call_id id, int64_t a0,
                         int64_t a1, void *frame)
{
    c->serial = atomic_fetch_add(&trace->entries, 1) + 1;
    struct trace_record *record = &trace->record[c->serial % TRACE_RECORDS];

    atomic_store(&record->serial, 0);
    atomic_thread_fence(memory_order_release); /* what follows comes after */
    memset(record, 0, sizeof(*record));
    record->entered_ns = clock_ns();
    record->pid = self.slot ? self.slot->pid : 0;
    record->tid = self.slot ? atomic_load(&self.slot->tid) : 0;
    record->process = self.slot ? self.slot->process : 0;
    record->thread = self.slot ? self.slot->thread : 0;
    record->call = (uint16_t)id;
    record->in_handler = in_handler(frame);
    record->conn = c->conn;
    record->fd = c->fd;
    record->arg[0] = a0;
    record->arg[1] = a1;
    record->seen = c->seen;
    record->timeout_ms = -1;
    note_callers(record, frame);
    atomic_store(&record->serial, c->serial);
    c->record = record;
    if (counts_as_call(c->family))
        atomic_fetch_add(&trace->calls, 1);
    if (c->family == FAMILY_POLL || c->family == FAMILY_ACCEPT)
        atomic_fetch_add(&trace->waits, 1);
    if (self.slot) {
        if (record->in_handler) { /* else what stands there was jumped out of */
            c->outer_call = atomic_load(&self.slot->call);
            c->outer_conn = atomic_load(&self.slot->conn);
            c->outer_caller = atomic_load(&self.slot->caller);
        }
        atomic_store(&self.slot->conn, c->conn);
        atomic_store(&self.slot->caller, record->caller[0]);
        atomic_store(&self.slot->call, id);
    }
}

/* socket(7): a call on such a socket ends by itself, with EAGAIN. */
static void note_socket_timeout(struct call *c, int circumstance)
{
    if (atomic_load(&trace->timed_sockets) == 0 ||
        !(circumstance & (CALL_WANTS_READ | CALL_WANTS_WRITE)) ||
        (circumstance & CALL_DONTWAIT))
        return;
    c->timeout_ms = fd_timeout_ms(
        c->fd, circumstance & CALL_WANTS_READ ? SO_RCVTIMEO : SO_SNDTIMEO);
    if (c->timeout_ms > 0)
        call_timeout(c, c->timeout_ms);
}

struct call call_begin(enum call_id id, int fd, int64_t a0, int64_t a1,
                       int circumstance, void *frame)
{
    struct call c = {.fd = fd, .family = call_family(id)};

    if (id == CALL_splice) /* whichever end is the connection */
        c.family = circumstance & CALL_WANTS_READ ? FAMILY_READ : FAMILY_WRITE;

    if (!trace || self.asking)
        return c;
    if (atomic_load_explicit(&trace->over, memory_order_relaxed))
        syscall(SYS_exit_group, 1);
    c.entry_errno = errno;
    c.conn = fd >= 0 ? fd_conn(fd) : 0;
    c.seen = circumstance & CALL_WANTS_READ ? fd_seen(fd) : 0;
    record_entry(&c, id, a0, a1, frame);
    note_socket_timeout(&c, circumstance);
    trace_advance();
    ruling_on(&c, id, a0, circumstance);
    errno = c.entry_errno;
    return c;
}

void raise_here(int signal)
{
    syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), signal);
}

static bool is_ours(const struct call *c)
{
    return c->record && atomic_load(&c->record->serial) == c->serial;
}

int64_t call_end(struct call *c, int64_t result)
{
    int error = errno;

    if (!c->record)
        return result;
    if (c->gate)
        ruling_hold(c->gate - 1);
    if (c->timeout_ms > 0 && result == -1 && error == EAGAIN)
        call_woke(c, true);
    if (is_ours(c)) {
        c->record->result = result;
        c->record->error = result == -1 ? error : 0;
        c->record->injected = (uint8_t)c->action;
        c->record->conn = c->conn;
        c->record->returned_ns = clock_ns();
        atomic_store(&c->record->returned, atomic_load(&trace->entries) + 1);
    }
    if (result > 0 && (c->family == FAMILY_READ || c->family == FAMILY_WRITE))
        atomic_fetch_add(&trace->moved, (uint64_t)result);
    if (self.slot) {
        atomic_store(&self.slot->conn, c->outer_conn);
        atomic_store(&self.slot->caller, c->outer_caller);
        atomic_store(&self.slot->call, c->outer_call);
    }
    trace_advance();
    errno = error;
    if (c->signal) /* its handler sees, and may spoil, this very errno */
        raise_here(c->signal);
    return result;
}

int call_end_error(struct call *c, int error)
{
    int before = c->record ? c->entry_errno : errno;

    errno = error;
    call_end(c, error ? -1 : 0);
    if (is_ours(c))
        c->record->result = error;
    errno = before;
    return error;
}

void call_timeout(struct call *c, int64_t ms)
{
    if (is_ours(c))
        c->record->timeout_ms = ms > INT32_MAX ? INT32_MAX : (int32_t)ms;
}

bool call_flies(struct call *c, bool waits)
{
    if (!is_ours(c) || c->record->timeout_ms <= 0)
        return false;
    _Atomic int64_t *left =
        waits ? &trace->waits_fly_ms : &trace->pauses_fly_ms;
    return atomic_load(left) > 0 &&
           atomic_fetch_sub(left, c->record->timeout_ms) > 0;
}

void call_woke(struct call *c, bool expired)
{
    if (!c->record)
        return;
    atomic_fetch_add(&trace->wakeups, 1);
    if (expired && is_ours(c) && c->record->timeout_ms > 0)
        atomic_fetch_add(&trace->paused_ms, (uint64_t)c->record->timeout_ms);
}

void call_whose(struct call *c, int conn)
{
    if (is_ours(c))
        c->record->arg[1] = conn;
}

void call_note(struct call *c, const char *note)
{
    if (is_ours(c) && note)
        strncpy(c->record->note, note, sizeof(c->record->note) - 1);
}

void call_unsafe(const char *function, void *frame)
{
    if (!trace || self.asking || !self.handling.frame ||
        !in_async_handler(frame))
        return;
    struct call c = call_begin(CALL_unsafe, -1, 0, 0, CALL_PLAIN, frame);
    call_note(&c, function);
    atomic_fetch_add(&trace->unsafe, 1);
    call_end(&c, 0);
}
