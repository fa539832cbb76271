/* ruling.c - the decision: hold a call at a gate, and rule whether it fails:
 * where the kernel could have answered so, there and then, and truly.
 */
#include "interposer.h"

#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>

/* fiu.h means something only where failure injection is compiled in. */
#define FIU_ENABLE
#include <fiu-control.h>
#include <fiu.h>

/* What libfiu's call-back rules on: it has no argument for it, and its own
 * fields race between threads. */
static __thread struct call *asked __attribute__((tls_model("initial-exec")));
static __thread int asked_circumstance
    __attribute__((tls_model("initial-exec")));
static __thread enum call_id asked_call
    __attribute__((tls_model("initial-exec")));
static __thread sigset_t asked_mask __attribute__((tls_model("initial-exec")));
static bool remote_control;

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

void ruling_hold(int index)
{
    struct fault *fault = &trace->fault[index];

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
            ruling_hold((int)i);
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
        int n = real.poll(&ready, 1,
                          !blocks             ? 0
                          : c->timeout_ms > 0 ? c->timeout_ms
                                              : -1);

        if (n >= 0)
            return n == 1 && !(ready.revents & (POLLNVAL | POLLERR))
                       ? COUNTS
                       : COUNTS_NOT;
        if (self.interrupted)
            return INTERRUPTED;
    }
}

/* These wait with the mask that they were given, if any. */
static bool brings_mask(enum call_id id)
{
    return self.wait_mask &&
           (id == CALL_ppoll || id == CALL_pselect || id == CALL_epoll_pwait ||
            id == CALL_epoll_pwait2);
}

static int interrupter(const struct call *c, enum call_id id,
                       const sigset_t *mask)
{
    return signal_that_interrupts(c->family != FAMILY_POLL &&
                                      c->family != FAMILY_PAUSE,
                                  brings_mask(id) ? self.wait_mask : mask);
}

static enum fault_when when_possible(const struct fault *fault)
{
    if (fault->action == FAULT_SHORT)
        return WHEN_LONGER;
    if (fault->action != FAULT_ERRNO)
        return WHEN_ALWAYS;
    return fault->value == EINTR    ? WHEN_HANDLER
           : fault->value == EAGAIN ? WHEN_NONBLOCK
                                    : WHEN_ALWAYS;
}

/* Told once, and then no more until there is news: epoll(7), EPOLLET, and the
 * SIGIO of fcntl(2), O_ASYNC. */
static bool is_edge_triggered(const struct call *c)
{
    return (fd_flags(c->fd) & FD_EDGE) ||
           (real.fcntl(c->fd, F_GETFL) & O_ASYNC);
}

/* Could the kernel answer so, there and then? */
static bool is_possible(enum fault_when when, const struct call *c,
                        enum call_id id, int circumstance, const sigset_t *mask)
{
    bool waits = circumstance & (CALL_WANTS_READ | CALL_WANTS_WRITE);

    /* It cannot wait, and what was received comes before what went wrong. */
    if (c->seen > 0 && when != WHEN_LONGER)
        return false;
    switch (when) {
    case WHEN_LONGER: /* edge-triggered it would mean "drained": epoll(7) */
        return !(circumstance & CALL_NEVER_SHORT) && c->value > 1 &&
               c->value > c->seen && !is_edge_triggered(c);
    case WHEN_HANDLER:
        return !(circumstance & CALL_NEVER_BLOCKS) &&
               !(waits && never_blocks(c, circumstance)) &&
               interrupter(c, id, mask) != 0;
    case WHEN_NONBLOCK:
        return !waits ||
               (never_blocks(c, circumstance) && !is_edge_triggered(c));
    default:
        return true;
    }
}

/* For a sweep: in which ways could this call fail? How many bytes are at
 * stake shows when it returns. */
static void note_what_could_be(struct call *c, enum call_id id,
                               int circumstance)
{
    struct call longer = *c;
    sigset_t mask;
    uint8_t could = 0;

    longer.value = INT32_MAX;
    real.pthread_sigmask(SIG_SETMASK, NULL, &mask);
    for (int when = 0; when < WHEN_COUNT; when++)
        if (is_possible((enum fault_when)when, &longer, id, circumstance,
                        &mask))
            could |= (uint8_t)(1u << when);
    c->record->could = could;
}

/* `least`: it moves no fewer, and one byte at least. */
static int64_t shortened(int64_t len, int32_t how, int64_t least)
{
    int64_t left = how > 0 ? how : how < 0 ? len + how : len / 2;

    if (left < least)
        left = least;
    return left < 1 ? 1 : left > len ? len : left;
}

/* Decides by count and connection. */
static void ask_plan(struct call *c)
{
    for (unsigned i = 0; i < trace->fault_count; i++) {
        struct fault *fault = &trace->fault[i];

        if (!is_failure(fault) || !fault_is_for(fault, c, asked_call) ||
            (fault->action == FAULT_DROP && c->family != FAMILY_ACCEPT) ||
            !is_possible(when_possible(fault), c, asked_call,
                         asked_circumstance, &asked_mask) ||
            !fault_hits(fault) || c->action != FAULT_NOTHING)
            continue;
        fault_fires(fault);
        c->action = fault->action;
        c->signal = fault->signal;
        if (fault->action == FAULT_ERRNO && fault->value == EINTR)
            c->interrupter = interrupter(c, asked_call, &asked_mask);
        c->ruling = fault->action == FAULT_SHORT
                        ? (int32_t)shortened(c->value, fault->value, c->seen)
                        : fault->value;
    }
    if (c->action != FAULT_NOTHING)
        c->value = c->ruling;
}

/* The plan, asked by libfiu. */
static int on_point(const char *name, int *failnum, void **failinfo,
                    unsigned int *flags)
{
    (void)name;
    (void)failnum;
    (void)flags;
    if (!asked)
        return 0;
    ask_plan(asked);
    *failinfo = (void *)(intptr_t)asked->value;
    return asked->action != FAULT_NOTHING;
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

/* What libfiu's tools have enabled: NAME fails the call, NAME/reduce makes it
 * a short one, as in libfiu's own library. */
static void ask_remote(struct call *c, enum call_id id)
{
    const char *point = call_point(id);
    char reduce[64];

    if (fiu_fail(point)) {
        c->action = FAULT_ERRNO;
        c->value = (int32_t)(intptr_t)fiu_failinfo();
        if (c->value == 0)
            c->value = c->family == FAMILY_PTHREAD_CREATE ? EAGAIN : ENOMEM;
        return;
    }
    if (c->family != FAMILY_READ && c->family != FAMILY_WRITE)
        return;
    stpcpy(stpcpy(reduce, point), "/reduce");
    if (c->value > 1 && fiu_fail(reduce)) {
        c->action = FAULT_SHORT;
        c->value = (int32_t)shortened(
            c->value, (int32_t)(intptr_t)fiu_failinfo(), c->seen);
    }
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
    if (!remote_control) {
        fiu_fail(call_point(id)); /* it asks the plan */
    } else {
        ask_plan(c);
        if (c->action == FAULT_NOTHING)
            ask_remote(c, id);
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
        real.ioctl(c->fd, FIONREAD, &waiting) == 0 && waiting < len)
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

void ruling_on(struct call *c, enum call_id id, int64_t len, int circumstance)
{
    if (trace->recording)
        note_what_could_be(c, id, circumstance);
    if (trace->fault_count > 0)
        pass_gates(c, id);
    if (is_planned_for(c, id) || (remote_control && c->record->caller[0] != 0))
        rule(c, id, len, circumstance);
}

/* A connection that broke is broken for every later call: what was not read
 * yet is gone, reading gives EOF, writing EPIPE. */
static void break_connection(int fd)
{
    char drain[4096];

    while (real.recv(fd, drain, sizeof(drain), MSG_DONTWAIT) > 0)
        continue;
    fd_sees(fd, 0);
    real.shutdown(fd, SHUT_RDWR);
}

/* POSIX, accept(): a connection has been aborted. It leaves the queue. */
static void drop_client(int fd)
{
    int client = real.accept4(fd, NULL, NULL, SOCK_CLOEXEC);

    if (client >= 0)
        real.close(client);
}

static bool breaks_connection(const struct call *c)
{
    switch (c->family) {
    case FAMILY_READ:
    case FAMILY_WRITE:
        return c->value == ECONNRESET || c->value == ETIMEDOUT ||
               c->value == EPIPE;
    case FAMILY_SHUTDOWN:
        return c->value == ENOTCONN;
    default:
        return false;
    }
}

bool call_fails(struct call *c)
{
    if (c->action != FAULT_ERRNO && c->action != FAULT_DROP)
        return false;
    if (c->action == FAULT_DROP)
        drop_client(c->fd);
    if (c->conn && breaks_connection(c))
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

/* Points are enabled by their exact names, all of them, up front: asked for
 * an unknown name, libfiu takes a write lock in its wildcard cache, which
 * would order the program's threads and hide its data races. */
static void enable_points(void)
{
    for (int id = CALL_none + 1; id < CALL_COUNT; id++)
        fiu_enable_external(call_point((enum call_id)id), 1, NULL, 0, on_point);
}

/* Then the points belong to libfiu's tools, wildcards and all, and the plan
 * is asked beside them. */
static bool hand_over_points(const char *control)
{
    sigset_t all, before;

    sigfillset(&all);
    real.pthread_sigmask(SIG_SETMASK, &all, &before);
    self.asking = 1;
    int result = fiu_rc_fifo(control);
    self.asking = 0;
    real.pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result == 0;
}

void ruling_setup(const char *control)
{
    fiu_init(0);
    remote_control = control && hand_over_points(control);
    if (!remote_control)
        enable_points();
}

bool ruling_is_remote(void)
{
    return remote_control;
}
