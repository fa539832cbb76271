/* transparent_signals.c - signals, processes and their ends as a program sees
 * them: transparent.h. */
#define _GNU_SOURCE
#include "transparent.h"

#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int sunk;

static void handler_a(int signal)
{
    printf("a: %s\n", sigabbrev_np(signal));
}

static void handler_b(int signal)
{
    printf("b: %s\n", sigabbrev_np(signal));
}

static void handler_c(int signal, siginfo_t *info, void *context)
{
    printf("c: %s %s %s %s\n", sigabbrev_np(signal),
           info->si_signo == signal ? "signo" : "?",
           info->si_pid == getpid() ? "from us" : "?", context ? "ctx" : "?");
}

static const char *name_of(void (*handler)(int))
{
    return handler == SIG_DFL     ? "default"
           : handler == SIG_IGN   ? "ignored"
           : handler == SIG_ERR   ? "error"
           : handler == handler_a ? "a"
           : handler == handler_b ? "b"
                                  : "another";
}

static void tell_disposition(int signal)
{
    struct sigaction action;

    sigaction(signal, NULL, &action);
    printf("%s: %s, flags %x, mask %d\n", sigabbrev_np(signal),
           name_of(action.sa_handler), (unsigned)action.sa_flags & ~0x04000000u,
           sigismember(&action.sa_mask, SIGTERM));
}

static void all_dispositions(void)
{
    for (int signal = 1; signal < 32; signal++)
        tell_disposition(signal);
}

static void dispositions(void)
{
    struct sigaction action = {.sa_handler = handler_b, .sa_flags = SA_RESTART},
                     old;

    all_dispositions();
    printf("was %s\n", name_of(signal(SIGUSR1, handler_a)));
    tell_disposition(SIGUSR1);
    raise(SIGUSR1);
    sigaddset(&action.sa_mask, SIGTERM);
    sigaction(SIGUSR1, &action, &old);
    printf("was %s, flags %x\n", name_of(old.sa_handler),
           (unsigned)old.sa_flags & ~0x04000000u);
    tell_disposition(SIGUSR1);
    raise(SIGUSR1);
    printf("was %s\n", name_of(signal(SIGUSR1, SIG_IGN)));
    raise(SIGUSR1);
    printf("was %s\n", name_of(signal(SIGUSR1, handler_a)));
    raise(SIGUSR1);
    action = (struct sigaction){.sa_sigaction = handler_c,
                                .sa_flags = SA_SIGINFO | SA_RESETHAND};
    sigaction(SIGUSR2, &action, NULL);
    tell_disposition(SIGUSR2);
    kill(getpid(), SIGUSR2);
    tell_disposition(SIGUSR2);
    printf("was %s\n", name_of(signal(SIGUSR2, SIG_DFL)));
    printf("SIGKILL: %d\n", sigaction(SIGKILL, &action, &old));
    tell_disposition(SIGKILL);
    all_dispositions();
}

static void inherited_dispositions(void)
{
    signal(SIGUSR1, handler_a);
    signal(SIGUSR2, SIG_IGN);
    fflush(stdout);
    if (fork() == 0) {
        tell_disposition(SIGUSR1);
        tell_disposition(SIGUSR2);
        raise(SIGUSR1);
        signal(SIGUSR1, handler_b);
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
    tell_disposition(SIGUSR1);
    raise(SIGUSR1);
}

static void mask(const char *when)
{
    sigset_t set;

    sigprocmask(SIG_SETMASK, NULL, &set);
    printf("%s:", when);
    for (int signal = 1; signal < 32; signal++)
        if (sigismember(&set, signal))
            printf(" %s", sigabbrev_np(signal));
    printf("\n");
}

static void handler_mask(int signal)
{
    (void)signal;
    mask("in the handler");
}

static void masks(void)
{
    struct sigaction action = {.sa_handler = handler_mask};
    sigset_t set;

    mask("at first");
    sigaddset(&action.sa_mask, SIGTERM);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    mask("behind it");
    action.sa_flags = SA_NODEFER;
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    mask("blocked");
}

static void processes(void)
{
    pid_t parent = getpid(), child;
    int both[2], status;
    pid_t seen[2];

    if (pipe(both) < 0)
        return;
    child = fork();
    if (child == 0) {
        seen[0] = getpid();
        seen[1] = getppid();
        (void)!write(both[1], seen, sizeof(seen));
        _exit(3);
    }
    (void)!read(both[0], seen, sizeof(seen));
    printf("getpid %d, getppid %d\n", seen[0] == child, seen[1] == parent);
    printf("waitpid %d\n", waitpid(child, &status, 0) == child);
    printf("exited %d with %d\n", WIFEXITED(status), WEXITSTATUS(status));
    child = vfork();
    if (child == 0)
        _exit(4);
    printf("wait4 %d\n", wait4(child, &status, 0, NULL) == child);
    printf("exited with %d\n", WEXITSTATUS(status));
    child = fork();
    if (child == 0)
        for (;;)
            pause();
    kill(child, SIGTERM);
    printf("wait %d\n", wait(&status) == child);
    printf("signalled %d by %d\n", WIFSIGNALED(status), WTERMSIG(status));
}

static sigjmp_buf back;

static void handler_jump(int signal)
{
    siglongjmp(back, signal);
}

static void jumps(void)
{
    int both[2];

    if (pipe(both) < 0)
        return;
    signal(SIGUSR1, handler_jump);
    for (int i = 0; i < 3; i++) {
        if (sigsetjmp(back, 1) == 0)
            raise(SIGUSR1);
        else
            printf("jumped\n");
        TELL(write(both[1], "x", 1));
        TELL(read(both[0], buf, 10));
        mask("behind the jump");
    }
}

static void at_exit(void)
{
    printf("at exit\n");
}

static void ends(void)
{
    printf("unflushed");
    atexit(at_exit);
    exit(5);
}

static void ends_at_once(void)
{
    atexit(at_exit);
    printf("lost");
    _exit(6);
}

static void dies_by_sigpipe(void)
{
    int both[2];

    if (pipe(both) < 0)
        return;
    close(both[0]);
    printf("before\n");
    fflush(stdout);
    sunk = (int)write(both[1], "x", 1);
    printf("after\n");
}

static void aborts(void)
{
    fflush(stdout);
    abort();
}

static const struct act acts[] = {
    ACT(dispositions), ACT(inherited_dispositions),
    ACT(masks),        ACT(processes),
    ACT(jumps),        ACT(ends),
    ACT(ends_at_once), ACT(dies_by_sigpipe),
    ACT(aborts),
};

int main(int argc, char **argv)
{
    return carry_out(acts, sizeof(acts) / sizeof(acts[0]), argc, argv);
}
