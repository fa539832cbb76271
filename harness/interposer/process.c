/* process.c - processes: fork(2), wait(2), _exit(2), execve(2). */
#include "interposer.h"

#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>

/* A slot of its own for this thread of that process. */
static void take_slot(uint16_t process, uint16_t thread)
{
    uint32_t n = atomic_fetch_add(&trace->threads, 1);
    struct trace_thread *slot = &trace->thread[n % TRACE_THREADS];

    slot->pid = getpid();
    slot->process = process;
    slot->thread = thread;
    atomic_store(&slot->call, CALL_none);
    atomic_store(&slot->held, 0);
    atomic_store(&slot->tid, (int32_t)syscall(SYS_gettid));
    self.slot = slot;
}

void self_is_process(uint16_t process)
{
    memset(&self, 0, sizeof(self));
    take_slot(process, 1);
}

void self_is_thread(uint16_t thread)
{
    uint16_t process = self.slot ? self.slot->process : 1;

    take_slot(process, thread);
}

/* libfiu gives the child a thread that listens for its tools: no handler of
 * the program may run in it. */
static pid_t fork_under_control(void)
{
    sigset_t all, before;

    sigfillset(&all);
    real.pthread_sigmask(SIG_SETMASK, &all, &before);
    self.asking = 1;
    pid_t pid = real.fork();
    self.asking = 0;
    int error = errno;
    real.pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return pid;
}

/* Until the harness has counted those that live: a storm stands still then. */
static void await_turn(uint32_t begun)
{
    uint32_t most;

    while ((most = atomic_load(&trace->begun_most)) > 0 && begun > most) {
        trace_advance();
        syscall(SYS_futex, &trace->begun_most, FUTEX_WAIT, most, NULL, NULL, 0);
    }
}

/* The ordinal is drawn before the fork, so that it follows the order of the
 * forks and not that of the children's first steps. */
static pid_t forked(struct call *c)
{
    const struct handling handling = self.handling;

    if (!trace)
        return real.fork();
    uint32_t begun = atomic_fetch_add(&trace->processes, 1) + 1;
    uint16_t process = (uint16_t)begun;
    if (begun > TRACE_BEGUN_MOST) /* nobody else is as quick to end a storm */
        atomic_store(&trace->over, 1);
    await_turn(begun);
    errno = c->entry_errno;
    pid_t pid = ruling_is_remote() ? fork_under_control() : real.fork();
    if (pid == 0) {
        self_is_process(process);
        self.handling = handling; /* it may have forked in a handler */
        errno = c->entry_errno;
        return 0;
    }
    if (pid < 0)
        atomic_fetch_sub(&trace->processes, 1);
    return pid;
}

/* The call returns twice; it was made once. */
static pid_t end_fork(struct call *c, pid_t pid)
{
    return pid == 0 ? 0 : (pid_t)call_end(c, pid);
}

pid_t fork(void)
{
    struct call c = CALL(fork, -1, 0, 0);

    return end_fork(&c, call_fails(&c) ? -1 : forked(&c));
}

/* fork(2) without the handlers of pthread_atfork(3). We need ours, and with it
 * the others run, too. */
pid_t _Fork(void)
{
    return fork();
}

/* A child of vfork may not touch what our wrappers touch: it is one of fork.
 * But its parent stands still until it has ended, as in Linux: vfork(2). (Who
 * executes another image is told so anyway.) */
pid_t vfork(void)
{
    struct call c = CALL(vfork, -1, 0, 0);
    pid_t pid = call_fails(&c) ? -1 : forked(&c);
    int error = errno;
    siginfo_t end;

    while (trace && pid > 0 &&
           real.waitid(P_PID, (id_t)pid, &end, WEXITED | WNOWAIT) < 0 &&
           errno == EINTR)
        continue;
    errno = error;
    return end_fork(&c, pid);
}

static int hanging(int options)
{
    return options & WNOHANG ? CALL_NEVER_BLOCKS : CALL_PLAIN;
}

pid_t wait(int *wstatus)
{
    struct call c = CALL(wait, -1, -1, 0);

    if (call_fails(&c))
        return (pid_t)call_end(&c, -1);
    return (pid_t)call_end(&c, real.wait(wstatus));
}

pid_t waitpid(pid_t pid, int *wstatus, int options)
{
    struct call c = CALL_ON(waitpid, -1, pid, options, hanging(options));

    if (call_fails(&c))
        return (pid_t)call_end(&c, -1);
    return (pid_t)call_end(&c, real.waitpid(pid, wstatus, options));
}

int waitid(idtype_t idtype, id_t id, siginfo_t *info, int options)
{
    struct call c = CALL_ON(waitid, -1, id, options, hanging(options));

    if (call_fails(&c))
        return (int)call_end(&c, -1);
    return (int)call_end(&c, real.waitid(idtype, id, info, options));
}

pid_t wait3(int *wstatus, int options, struct rusage *rusage)
{
    struct call c = CALL_ON(wait3, -1, -1, options, hanging(options));

    if (call_fails(&c))
        return (pid_t)call_end(&c, -1);
    return (pid_t)call_end(&c, real.wait3(wstatus, options, rusage));
}

pid_t wait4(pid_t pid, int *wstatus, int options, struct rusage *rusage)
{
    struct call c = CALL_ON(wait4, -1, pid, options, hanging(options));

    if (call_fails(&c))
        return (pid_t)call_end(&c, -1);
    return (pid_t)call_end(&c, real.wait4(pid, wstatus, options, rusage));
}

void _exit(int status)
{
    struct call c = CALL(_exit, -1, status, 0);

    (void)c;
    real._exit(status);
    __builtin_unreachable();
}

void _Exit(int status)
{
    _exit(status);
}

void exit(int status)
{
    UNSAFE_IN_HANDLER(exit);
    struct call c = CALL(exit, -1, status, 0);

    (void)c;
    real.exit(status);
    __builtin_unreachable();
}

int execve(const char *path, char *const argv[], char *const envp[])
{
    struct call c = CALL(execve, -1, 0, 0);

    call_note(&c, path);
    if (trace)
        atomic_fetch_add(&trace->execs, 1);
    if (call_fails(&c))
        return (int)call_end(&c, -1);
    return (int)call_end(&c, real.execve(path, argv, envp));
}
