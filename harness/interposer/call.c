/* call.c - the decision: record a call, hold it at a gate, rule on it. */
#include "interposer.h"

#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

/* fiu.h means something only where failure injection is compiled in. */
#define FIU_ENABLE
#include <fiu-control.h>
#include <fiu.h>

struct real real;
struct trace *trace;
__thread struct self self __attribute__((tls_model("initial-exec")));

/* What libfiu's call-back rules on: it has no argument for it, and its own
 * fields race between threads. */
static __thread struct call *asked __attribute__((tls_model("initial-exec")));
static __thread int asked_circumstance
    __attribute__((tls_model("initial-exec")));
static __thread enum call_id asked_call
    __attribute__((tls_model("initial-exec")));
static __thread sigset_t asked_mask __attribute__((tls_model("initial-exec")));
static bool remote_control;

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void trace_advance(void)
{
    atomic_fetch_add(&trace->seq, 1);
    if (atomic_load(&trace->waiters) > 0)
        syscall(SYS_futex, &trace->seq, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
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

/* The stack grows down: a frame above the handler's has left it, were it by
 * siglongjmp(3). */
static bool in_handler(void *frame)
{
    if (self.handler_frame && (char *)frame > (char *)self.handler_frame) {
        self.handler_frame = NULL;
        self.handler_signal = 0;
    }
    return self.handler_frame != NULL;
}

/* A SIGPIPE that the thread's own write raised comes at a known place: its
 * handler may do anything. */
bool in_async_handler(void *frame)
{
    return in_handler(frame) &&
           !(self.handler_signal == SIGPIPE && self.own_sigpipe);
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
           family != FAMILY_SIGMASK && family != FAMILY_THREAD_START;
}

static void record_entry(struct call *c, enum call_id id, int64_t a0,
                         int64_t a1, void *frame)
{
    c->serial = atomic_fetch_add(&trace->entries, 1) + 1;
    struct trace_record *record = &trace->record[c->serial % TRACE_RECORDS];

    atomic_store(&record->serial, 0);
    memset(record, 0, sizeof(*record));
    record->entered_ns = now_ns();
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
    record->timeout_ms = -1;
    note_callers(record, frame);
    atomic_store(&record->serial, c->serial);
    c->record = record;
    if (counts_as_call(c->family))
        atomic_fetch_add(&trace->calls, 1);
    if (c->family == FAMILY_POLL || c->family == FAMILY_ACCEPT)
        atomic_fetch_add(&trace->waits, 1);
    if (self.slot) {
        c->outer_call = atomic_load(&self.slot->call);
        c->outer_conn = atomic_load(&self.slot->conn);
        atomic_store(&self.slot->conn, c->conn);
        atomic_store(&self.slot->caller, record->caller[0]);
        atomic_store(&self.slot->call, id);
    }
}

static bool fault_is_for(const struct fault *fault, const struct call *c,
                         enum call_id id)
{
    if (fault->call != CALL_none && fault->call != id)
        return false;
    if (fault->family != FAMILY_NONE && fault->family != c->family)
        return false;
    return fault->conn == FAULT_CONN_ANY || fault->conn == c->conn;
}

/* And not a gate. */
static bool is_failure(const struct fault *fault)
{
    return fault->action == FAULT_ERRNO || fault->action == FAULT_SHORT ||
           fault->action == FAULT_DROP;
}

/* Every fault counts every call that it could hit. */
static bool fault_hits(struct fault *fault)
{
    uint32_t n = atomic_fetch_add(&fault->seen, 1) + 1;

    return n >= fault->first && n <= fault->last;
}

static void fault_fires(struct fault *fault)
{
    atomic_fetch_add(&fault->fired, 1);
}

static void hold(struct fault *fault, int index)
{
    atomic_fetch_add(&fault->held, 1);
    if (self.slot)
        atomic_store(&self.slot->held, index + 1);
    trace_advance();
    while (atomic_load(&fault->gate) == 0)
        syscall(SYS_futex, &fault->gate, FUTEX_WAIT, 0, NULL, NULL, 0);
    if (self.slot)
        atomic_store(&self.slot->held, 0);
    atomic_fetch_sub(&fault->held, 1);
    trace_advance();
}

/* Gates first: what a call finds behind them is what it is ruled on. */
static void pass_gates(struct call *c, enum call_id id)
{
    for (unsigned i = 0; i < trace->fault_count; i++) {
        struct fault *fault = &trace->fault[i];

        if (fault->action != FAULT_HOLD && fault->action != FAULT_HOLD_AFTER)
            continue;
        if (!fault_is_for(fault, c, id) || !fault_hits(fault))
            continue;
        fault_fires(fault);
        if (fault->action == FAULT_HOLD)
            hold(fault, (int)i);
        else
            c->gate = (int)i + 1;
    }
}

static bool never_blocks(const struct call *c, int circumstance)
{
    if (circumstance & CALL_DONTWAIT)
        return true;
    int flags = real.fcntl(c->fd, F_GETFL);
    return flags < 0 || (flags & O_NONBLOCK);
}

/* A planned failure counts where the call would have had something to do,
 * so that it does not depend on how often a program merely looks. Waits as
 * the call itself would, and is interrupted as it would be. */
enum counts { COUNTS, COUNTS_NOT, INTERRUPTED };

static enum counts wait_until_it_counts(const struct call *c, int circumstance)
{
    short wanted = circumstance & CALL_WANTS_WRITE ? POLLOUT : POLLIN;
    struct pollfd ready = {c->fd, wanted, 0};
    bool blocks;

    if (!(circumstance & (CALL_WANTS_READ | CALL_WANTS_WRITE)))
        return COUNTS;
    blocks = !never_blocks(c, circumstance);
    self.interrupted = 0;
    for (;;) {
        int n = real.poll(&ready, 1, blocks ? -1 : 0);

        if (n >= 0)
            return n == 1 && !(ready.revents & (POLLNVAL | POLLERR))
                       ? COUNTS
                       : COUNTS_NOT;
        if (self.interrupted)
            return INTERRUPTED;
    }
}

/* These open the mask while they wait. */
static bool brings_mask(enum call_id id)
{
    return id == CALL_ppoll || id == CALL_pselect || id == CALL_epoll_pwait;
}

static int interrupter(const struct call *c)
{
    return signal_that_interrupts(c->family != FAMILY_POLL &&
                                      c->family != FAMILY_PAUSE,
                                  brings_mask(asked_call) ? NULL : &asked_mask);
}

/* Could the kernel have answered so, there and then? */
static bool could_fail_so(const struct fault *fault, const struct call *c,
                          int circumstance)
{
    if (fault->action == FAULT_DROP)
        return c->family == FAMILY_ACCEPT;
    /* Edge-triggered, a short count means "drained": epoll(7). */
    if (fault->action == FAULT_SHORT)
        return !(circumstance & CALL_NEVER_SHORT) && c->value > 1 &&
               !(fd_flags(c->fd) & FD_EDGE);
    switch (fault->value) {
    case EINTR:
        if (circumstance & CALL_NEVER_BLOCKS)
            return false;
        if ((circumstance & (CALL_WANTS_READ | CALL_WANTS_WRITE)) &&
            never_blocks(c, circumstance))
            return false;
        return interrupter(c) != 0;
    case EAGAIN:
        if (!(circumstance & (CALL_WANTS_READ | CALL_WANTS_WRITE)))
            return true;
        return never_blocks(c, circumstance) && !(fd_flags(c->fd) & FD_EDGE);
    default:
        return true;
    }
}

static int64_t shortened(int64_t len, int32_t how)
{
    int64_t left = how > 0 ? how : how < 0 ? len + how : len / 2;

    return left < 1 ? 1 : left > len ? len : left;
}

/* The plan, asked by libfiu. Decides by count and connection. */
static int on_point(const char *name, int *failnum, void **failinfo,
                    unsigned int *flags)
{
    struct call *c = asked;

    (void)name;
    (void)failnum;
    (void)flags;
    for (unsigned i = 0; c && i < trace->fault_count; i++) {
        struct fault *fault = &trace->fault[i];

        if (!is_failure(fault) || !fault_is_for(fault, c, asked_call) ||
            !could_fail_so(fault, c, asked_circumstance) ||
            !fault_hits(fault) || c->action != FAULT_NOTHING)
            continue;
        fault_fires(fault);
        c->action = fault->action;
        c->signal = fault->signal;
        if (fault->action == FAULT_ERRNO && fault->value == EINTR)
            c->interrupter = interrupter(c);
        c->ruling = fault->action == FAULT_SHORT
                        ? (int32_t)shortened(c->value, fault->value)
                        : fault->value;
    }
    if (!c || c->action == FAULT_NOTHING)
        return 0;
    c->value = c->ruling;
    *failinfo = (void *)(intptr_t)c->value;
    return 1;
}

static bool is_planned_for(const struct call *c, enum call_id id)
{
    for (unsigned i = 0; i < trace->fault_count; i++) {
        const struct fault *fault = &trace->fault[i];

        if (is_failure(fault) && fault_is_for(fault, c, id))
            return true;
    }
    return false;
}

/* libfiu counts how deep a thread is inside it: a handler that leaves it by
 * siglongjmp would switch injection off for good. So none may run here. */
static void ask(struct call *c, enum call_id id, int circumstance)
{
    sigset_t all;

    sigfillset(&all);
    real.pthread_sigmask(SIG_SETMASK, &all, &asked_mask);
    asked = c;
    asked_call = id;
    asked_circumstance = circumstance;
    self.asking = 1;
    if (fiu_fail(call_point(id)) && c->action == FAULT_NOTHING) {
        c->action = FAULT_ERRNO; /* by remote control */
        c->value = (int32_t)(intptr_t)fiu_failinfo();
    }
    self.asking = 0;
    asked = NULL;
    real.pthread_sigmask(SIG_SETMASK, &asked_mask, NULL);
}

/* What a short read or write can be short of. */
static int32_t bytes_at_stake(const struct call *c, int circumstance,
                              int64_t len)
{
    int waiting = 0;

    if ((circumstance & CALL_WANTS_READ) && c->family == FAMILY_READ &&
        ioctl(c->fd, FIONREAD, &waiting) == 0 && waiting < len)
        len = waiting;
    return len > INT32_MAX ? INT32_MAX : (int32_t)len;
}

static void rule(struct call *c, enum call_id id, int64_t len, int circumstance)
{
    /* Nothing to move: the call has nothing to wait for, nor to fail with. */
    if (len == 0 && (c->family == FAMILY_READ || c->family == FAMILY_WRITE))
        return;
    switch (wait_until_it_counts(c, circumstance)) {
    case COUNTS:
        c->value = bytes_at_stake(c, circumstance, len);
        ask(c, id, circumstance);
        if (c->action != FAULT_NOTHING)
            wait_for_debugger(TRACE_DEBUG_INJECTED);
        break;
    case INTERRUPTED:
        c->action = FAULT_ERRNO;
        c->value = EINTR;
        break;
    case COUNTS_NOT:
        break;
    }
}

struct call call_begin(enum call_id id, int fd, int64_t a0, int64_t a1,
                       int circumstance, void *frame)
{
    struct call c = {.fd = fd, .family = call_family(id)};

    if (id == CALL_splice) /* whichever end is the connection */
        c.family = circumstance & CALL_WANTS_READ ? FAMILY_READ : FAMILY_WRITE;

    if (!trace || self.asking)
        return c;
    c.entry_errno = errno;
    c.conn = fd >= 0 ? fd_conn(fd) : 0;
    record_entry(&c, id, a0, a1, frame);
    trace_advance();
    if (trace->fault_count > 0)
        pass_gates(&c, id);
    if (remote_control || is_planned_for(&c, id))
        rule(&c, id, a0, circumstance);
    errno = c.entry_errno;
    return c;
}

void raise_here(int signal)
{
    syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), signal);
}

/* A connection that broke is broken for every later call: what was not read
 * yet is gone, reading gives EOF, writing EPIPE. */
static void break_connection(int fd)
{
    char drain[4096];

    while (real.recv(fd, drain, sizeof(drain), MSG_DONTWAIT) > 0)
        continue;
    real.shutdown(fd, SHUT_RDWR);
}

/* POSIX, accept(): a connection has been aborted. It leaves the queue. */
static void drop_client(int fd)
{
    int client = real.accept4(fd, NULL, NULL, SOCK_CLOEXEC);

    if (client >= 0)
        real.close(client);
}

static bool breaks_connection(int error)
{
    return error == ECONNRESET || error == ETIMEDOUT || error == EPIPE;
}

bool call_fails(struct call *c)
{
    if (c->action != FAULT_ERRNO && c->action != FAULT_DROP)
        return false;
    if (c->action == FAULT_DROP)
        drop_client(c->fd);
    if ((c->family == FAMILY_READ || c->family == FAMILY_WRITE) && c->conn &&
        breaks_connection(c->value))
        break_connection(c->fd);
    if (c->interrupter) /* its handler runs, then the call fails */
        raise_here(c->interrupter);
    errno = c->value;
    return true;
}

size_t call_len(const struct call *c, size_t len)
{
    if (c->action != FAULT_SHORT || (size_t)c->value >= len)
        return len;
    return (size_t)c->value;
}

const struct iovec *call_iov(const struct call *c, const struct iovec *iov,
                             size_t *count, struct iovec cut[CALL_IOV_MAX])
{
    size_t left = (size_t)c->value, n = 0;

    if (c->action != FAULT_SHORT)
        return iov;
    for (; n < *count && n < CALL_IOV_MAX && left > 0; n++) {
        cut[n] = iov[n];
        if (cut[n].iov_len > left)
            cut[n].iov_len = left;
        left -= cut[n].iov_len;
    }
    *count = n;
    return cut;
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
        hold(&trace->fault[c->gate - 1], c->gate - 1);
    if (is_ours(c)) {
        c->record->result = result;
        c->record->error = result == -1 ? error : 0;
        c->record->injected = (uint8_t)c->action;
        c->record->conn = c->conn;
        c->record->returned_ns = now_ns();
        atomic_store(&c->record->returned, atomic_load(&trace->entries) + 1);
    }
    if (result > 0 && (c->family == FAMILY_READ || c->family == FAMILY_WRITE))
        atomic_fetch_add(&trace->moved, (uint64_t)result);
    if (self.slot) {
        atomic_store(&self.slot->call, c->outer_call);
        atomic_store(&self.slot->conn, c->outer_conn);
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

void call_woke(struct call *c, bool expired)
{
    if (!c->record)
        return;
    atomic_fetch_add(&trace->wakeups, 1);
    if (expired && is_ours(c) && c->record->timeout_ms > 0)
        atomic_fetch_add(&trace->paused_ms, (uint64_t)c->record->timeout_ms);
}

void call_note(struct call *c, const char *note)
{
    if (is_ours(c) && note)
        snprintf(c->record->note, sizeof(c->record->note), "%s", note);
}

void call_unsafe(const char *function, void *frame)
{
    if (!trace || self.asking || !self.handler_frame ||
        !in_async_handler(frame))
        return;
    struct call c = call_begin(CALL_unsafe, -1, 0, 0, CALL_PLAIN, frame);
    call_note(&c, function);
    atomic_fetch_add(&trace->unsafe, 1);
    call_end(&c, 0);
}

/* Points are enabled by their exact names, all of them, up front: asked for
 * an unknown name, libfiu takes a write lock in its wildcard cache, which
 * would order the program's threads and hide its data races. */
static void enable_points(void)
{
    fiu_init(0);
    for (int id = CALL_none + 1; id < CALL_COUNT; id++)
        fiu_enable_external(call_point((enum call_id)id), 1, NULL, 0, on_point);
}

void call_setup(const char *control);
void call_setup(const char *control)
{
    enable_points();
    if (control && fiu_rc_fifo(control) == 0)
        remote_control = true;
}
