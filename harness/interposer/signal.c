/* signal.c - handlers are called through ours, so that a call knows whether
 * it runs in one: signal(2), sigaction(2), sigprocmask(2), kill(2). */
#include "interposer.h"

#include <errno.h>
#include <string.h>

union handler {
    void (*simple)(int);
    void (*detailed)(int, siginfo_t *, void *);
};

/* The program's own handlers; fork copies them as it does dispositions. */
static union handler handlers[NSIG];
static bool interrupts[NSIG]; /* without SA_RESTART */
static bool installed[NSIG];
static bool may_interrupt[NSIG]; /* of the next signal(2): siginterrupt(3) */
static bool one_shot[NSIG];      /* SA_RESETHAND */
static bool returned[NSIG];      /* its handler has run, and returned */

static void on_signal(int signal, siginfo_t *info, void *context)
{
    const struct handling outer = self.handling;
    union handler handler = handlers[signal];
    bool ends_calls = interrupts[signal];
    int error = errno;

    if (one_shot[signal]) /* it may be installed again by the handler */
        installed[signal] = interrupts[signal] = false;
    self.handling = (struct handling){.frame = __builtin_frame_address(0),
                                      .signal = signal};
    sigaltstack(NULL, &self.handling.stack);
    self.handled++;
    handler.detailed(signal, info, context);
    if (errno != error)
        atomic_fetch_add(&trace->errno_lost, 1);
    returned[signal] = true;
    self.interrupted |= ends_calls;
    self.handling = outer;
}

/* The kernel passes all three arguments to every handler; one that takes a
 * single argument does not look at the others. */
static const union handler trampoline = {.detailed = on_signal};

static bool is_handler(void (*handler)(int))
{
    return handler != SIG_DFL && handler != SIG_IGN && handler != SIG_ERR;
}

static bool is_signal(int signal)
{
    return signal > 0 && signal < NSIG;
}

static void remember(int signal, void (*handler)(int), int flags)
{
    installed[signal] = is_handler(handler);
    interrupts[signal] = installed[signal] && !(flags & SA_RESTART);
    one_shot[signal] = flags & (int)SA_RESETHAND;
    if (installed[signal])
        handlers[signal].simple = handler;
}

/* alarm(2) may be there to end what lasts too long, and be disarmed by now. */
static bool may_end(int signal)
{
    return signal == SIGALRM && !returned[signal];
}

/* A signal whose handler could run now and change nothing. SIGPIPE comes
 * from the program's own write and interrupts nothing else; those that ask
 * the program to end would end it. */
int signal_that_interrupts(bool restarts, const sigset_t *mask)
{
    static const int harmless[] = {SIGCHLD, SIGUSR1,  SIGUSR2, SIGIO,
                                   SIGURG,  SIGWINCH, SIGALRM};

    for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++) {
        int signal = harmless[i];

        if ((mask && sigismember(mask, signal) == 1) || may_end(signal))
            continue;
        if (restarts ? interrupts[signal] : installed[signal])
            return signal;
    }
    return 0;
}

static int restart_calls(int signum, bool restarts)
{
    struct sigaction act;

    if (real.sigaction(signum, NULL, &act) < 0)
        return -1;
    act.sa_flags &= ~SA_RESTART;
    act.sa_flags |= restarts ? SA_RESTART : 0;
    return real.sigaction(signum, &act, NULL);
}

void (*signal(int signum, void (*handler)(int)))(int)
{
    struct call c = CALL(signal, -1, signum, handler == SIG_IGN);
    void (*before)(int) = SIG_DFL;

    if (!trace || !is_signal(signum))
        return real.signal(signum, handler);
    before = handlers[signum].simple;
    if (is_handler(handler))
        handlers[signum].simple = handler;
    void (*old)(int) =
        real.signal(signum, is_handler(handler) ? trampoline.simple : handler);
    if (old != SIG_ERR && may_interrupt[signum])
        restart_calls(signum, false);
    if (old == SIG_ERR)
        handlers[signum].simple = before;
    else
        remember(signum, handler, may_interrupt[signum] ? 0 : SA_RESTART);
    call_end(&c, old == SIG_ERR ? -1 : 0);
    return old == trampoline.simple ? before : old;
}

/* signal() of a source that asks for System V's: _XOPEN_SOURCE alone. */
void (*__sysv_signal(int signum, void (*handler)(int)))(int)
{
    struct sigaction act = {.sa_handler = handler,
                            .sa_flags = (int)(SA_RESETHAND | SA_NODEFER)};
    struct sigaction old;

    if (sigaction(signum, &act, &old) < 0)
        return SIG_ERR;
    return old.sa_handler;
}

void (*sysv_signal(int signum, void (*handler)(int)))(int)
    __attribute__((alias("__sysv_signal")));
void (*ssignal(int signum, void (*handler)(int)))(int)
    __attribute__((alias("signal")));

int sigaction(int signum, const struct sigaction *act, struct sigaction *oldact)
{
    struct call c = CALL(sigaction, -1, signum, act ? act->sa_flags : -1);
    struct sigaction ours;
    union handler before;

    if (!trace || !is_signal(signum))
        return real.sigaction(signum, act, oldact);
    before = handlers[signum];
    if (act) {
        ours = *act;
        if (is_handler(act->sa_handler)) {
            handlers[signum].simple = act->sa_handler;
            ours.sa_handler = trampoline.simple;
        }
    }
    int result = real.sigaction(signum, act ? &ours : NULL, oldact);
    if (result == 0 && act)
        remember(signum, act->sa_handler, act->sa_flags);
    if (result < 0)
        handlers[signum] = before;
    if (result == 0 && oldact && oldact->sa_handler == trampoline.simple)
        oldact->sa_handler = before.simple;
    return (int)call_end(&c, result);
}

/* Deprecated: of the handler that is installed, and of those that signal(2)
 * will install. Libc would not tell us. */
int siginterrupt(int signum, int flag)
{
    int result = restart_calls(signum, !flag);

    if (result == 0 && is_signal(signum)) {
        may_interrupt[signum] = flag;
        interrupts[signum] = installed[signum] && flag;
    }
    return result;
}

/* signal(7): a stop signal ends these two with EINTR where no handler has run,
 * too. Who looks at a thread's stack stops it: that shall change nothing. With
 * a time-out the program goes on by itself anyway. */
int sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
    return sigtimedwait(set, info, NULL);
}

int sigtimedwait(const sigset_t *set, siginfo_t *info,
                 const struct timespec *timeout)
{
    unsigned handled = self.handled;
    int result;

    do
        result = real.sigtimedwait(set, info, timeout);
    while (trace && result == -1 && errno == EINTR && !timeout &&
           self.handled == handled);
    return result;
}

int sigprocmask(int how, const sigset_t *set, sigset_t *oldset)
{
    struct call c = CALL(sigprocmask, -1, how, 0);

    return (int)call_end(&c, real.sigprocmask(how, set, oldset));
}

int pthread_sigmask(int how, const sigset_t *set, sigset_t *oldset)
{
    struct call c = CALL(pthread_sigmask, -1, how, 0);

    return call_end_error(&c, real.pthread_sigmask(how, set, oldset));
}

int kill(pid_t pid, int sig)
{
    struct call c = CALL(kill, -1, pid, sig);

    return (int)call_end(&c, real.kill(pid, sig));
}
