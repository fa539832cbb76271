/* fork_server.c - the program, executed once and forked for each case.
 *
 * __libc_start_main runs after the libraries' constructors and before the
 * program's own: no line of the submission has run when a case is forked.
 */
#include "interposer.h"

#include "../fork_server.h"

#include <dlfcn.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define CPU_WARNING_S 5

static int receive_run(int control, struct fork_server_run *run, int fds[3])
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(3 * sizeof(int))];
    } rights;
    struct iovec data = {run, sizeof(*run)};
    struct msghdr msg = {.msg_iov = &data,
                         .msg_iovlen = 1,
                         .msg_control = rights.room,
                         .msg_controllen = sizeof(rights.room)};

    ssize_t n = real.recvmsg(control, &msg, 0);
    struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
    if (n != sizeof(*run) || !head || head->cmsg_type != SCM_RIGHTS)
        return -1;
    memcpy(fds, CMSG_DATA(head), 3 * sizeof(int));
    return 0;
}

static void say(int control, int what, pid_t pid, int status)
{
    struct fork_server_said said = {.what = what, .pid = pid, .status = status};

    real.send(control, &said, sizeof(said), MSG_NOSIGNAL);
}

/* libc takes the environment from behind argv's final NULL. */
static char **lay_out_args(const struct fork_server_run *run)
{
    static char text[FORK_SERVER_BYTES];
    static char *vector[FORK_SERVER_ARGS + 64];
    char *at = text;
    unsigned n = 0, e = 0;

    memcpy(text, run->args, sizeof(text));
    for (; n < run->argc && n < FORK_SERVER_ARGS; n++) {
        vector[n] = at;
        at += strlen(at) + 1;
    }
    vector[n++] = NULL;
    while (e < 62 && environ[e])
        vector[n++] = environ[e++];
    vector[n] = NULL;
    environ = &vector[run->argc + 1];
    return vector;
}

static void move_fd(int from, int to)
{
    if (from == to)
        return;
    real.dup2(from, to);
    real.close(from);
}

/* Default dispositions, nothing blocked: as from a shell. */
static void reset_signals(void)
{
    const struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t none;

    /* signal(2) would leave SA_RESTART in the flags. */
    for (int signal = 1; signal < NSIG; signal++)
        real.sigaction(signal, &standard, NULL);
    sigemptyset(&none);
    real.sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A system call from the program's own code goes around libc, and around us:
 * the kernel sees from where it came. What runs through libc is not slowed
 * down by more than these five instructions. */
static void forbid_own_calls(void)
{
    const uint32_t at = offsetof(struct seccomp_data, instruction_pointer);
    const uint32_t high = (uint32_t)(trace->text_start >> 32);
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at + 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, high, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (uint32_t)trace->text_start, 0, 1),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)trace->text_end, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)};
    struct sock_fprog filter = {sizeof(rules) / sizeof(rules[0]), rules};

    if (trace->text_end >> 32 != high || trace->text_start == 0)
        return;
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

/* Three descriptors, a session of its own. */
static void become_case(int control, const struct fork_server_run *run,
                        const int fds[3])
{
    struct rlimit files = {run->descriptors, run->descriptors};

    for (int i = 0; i < 3; i++)
        move_fd(fds[i], i);
    real.close(control);
    setrlimit(RLIMIT_NOFILE, &files);
    for (uint32_t fd = run->taken[0]; fd < run->taken[1]; fd++)
        real.dup2(0, (int)fd);
    setsid();
    prctl(PR_SET_DUMPABLE, 1);
    setup_note_text();
    forbid_own_calls();
    self_is_process((uint16_t)(atomic_fetch_add(&trace->processes, 1) + 1));
    trace_advance();
    wait_for_debugger(TRACE_DEBUG_START);
}

/* The loader has come through: from here on we and each case may use more,
 * and are told by SIGXCPU before the kernel ends us. */
static void raise_cpu_limit(void)
{
    struct rlimit cpu;

    if (getrlimit(RLIMIT_CPU, &cpu) < 0 || cpu.rlim_max == RLIM_INFINITY ||
        cpu.rlim_max < cpu.rlim_cur + CPU_WARNING_S)
        return;
    cpu.rlim_cur = cpu.rlim_max - CPU_WARNING_S;
    setrlimit(RLIMIT_CPU, &cpu);
}

int fork_server(int control, int argc, char **argv, int *case_argc,
                char ***case_argv)
{
    struct fork_server_run run;
    int fds[3], status;

    (void)argc;
    (void)argv;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_DUMPABLE, 0); /* no case writes into our memory */
    reset_signals();
    raise_cpu_limit();
    rehearse();
    say(control, FORK_SERVER_READY, getpid(), 0);
    while (receive_run(control, &run, fds) == 0) {
        pid_t pid = real.fork();

        if (pid == 0) {
            become_case(control, &run, fds);
            *case_argc = (int)run.argc;
            *case_argv = lay_out_args(&run);
            return 0;
        }
        for (int i = 0; i < 3; i++)
            real.close(fds[i]);
        say(control, FORK_SERVER_BEGAN, pid, pid < 0 ? errno : 0);
        if (pid < 0)
            continue;
        while (real.waitpid(pid, &status, 0) < 0 && errno == EINTR)
            continue;
        say(control, FORK_SERVER_ENDED, pid, status);
    }
    real._exit(0);
    return -1;
}

typedef int main_function(int, char **, char **);
typedef int start_function(main_function *, int, char **, void (*)(void),
                           void (*)(void), void (*)(void), void *);

static main_function *program_main;

/* A return from main is a call of exit: the trace shall show it, in a forked
 * child too. */
static int run_main(int argc, char **argv, char **environment)
{
    errno = 0; /* C17, 7.5: main finds it so */
    exit(program_main(argc, argv, environment));
}

int __libc_start_main(main_function *main, int argc, char **argv,
                      void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end);

int __libc_start_main(main_function *main, int argc, char **argv,
                      void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end)
{
    start_function *start =
        (start_function *)dlsym(RTLD_NEXT, "__libc_start_main");

    if (fork_server_control >= 0)
        fork_server(fork_server_control, argc, argv, &argc, &argv);
    program_main = main;
    return start(trace ? run_main : main, argc, argv, init, fini, rtld_fini,
                 stack_end);
}
