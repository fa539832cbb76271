/* program.c - starting and ending the program under test. */
#define _GNU_SOURCE
#include "program.h"

#include "census.h"
#include "fork_server.h"
#include "proc.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Out of the way of the numbers that a program gets. */
#define CONTROL_FD 400
#define TRACE_FD   401

/* How long a start may take; the net below, not a verdict. */
#define READY_MS      30000
#define LOADER_CPU_NS 20000000000u
/* Wait for what was killed: but many could fork faster than they die. */
#define DEATH_MS 100
#define FEW      64

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

const char *program_raise_files(void)
{
    struct rlimit files = {0, 0};

    _Static_assert(PROGRAM_FILES == 1024, "the text says so");
    getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur >= PROGRAM_FILES)
        return NULL;
    files.rlim_cur = PROGRAM_FILES;
    if (files.rlim_max < PROGRAM_FILES)
        files.rlim_max = PROGRAM_FILES;
    if (setrlimit(RLIMIT_NOFILE, &files) == 0)
        return NULL;
    return "a play needs 1024 descriptors, and the limit on open files is "
           "lower: ask for `ulimit -Hn 1024`";
}

/* Runs in the scratch; outside a sandbox beside its binary. */
static void leave_for(const char *path)
{
    char folder[4096];

    snprintf(folder, sizeof(folder), "%s%s",
             *sandbox_scratch() ? sandbox_scratch() : path,
             *sandbox_scratch() ? "/" : "");
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = '\0';
    if (chdir(folder) < 0)
        _exit(126);
}

#define TOOL_ARGS 32

/* Valgrind's memcheck takes 20 to 50 times as long. */
#define TOOL_SLOWNESS 25

/* They keep the machine alive: far above what the loader needs, and what a
 * case does, were it a MiB a byte at a time on a slow machine. */
#define CPU_S      10
#define CPU_MOST_S 600
#define FILE_BYTES (64u << 20)

static void execute(const char *const *tool, const char *path,
                    const char *interposer, int control, int trace_fd)
{
    const unsigned times = tool ? TOOL_SLOWNESS : 1;
    const struct sandbox_limits limits = {.cpu_s = CPU_S * times,
                                          .cpu_most_s = CPU_MOST_S * times,
                                          .file_bytes = FILE_BYTES,
                                          .processes = PROGRAM_PROCESSES};
    char preload[4200], plan[4200], scratch[4200];
    char *argv[TOOL_ARGS + 2];
    int n = 0;
    /* Each name is looked up once, not in each process that is forked. */
    char *const envp[] = {
        preload,  plan,    "PATH=/usr/local/bin:/usr/bin:/bin",
        "LANG=C", scratch, "LD_BIND_NOW=1",
        NULL};
    int null = open("/dev/null", O_RDWR);

    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
        dup2(null, 2) < 0 || dup2(control, CONTROL_FD) < 0 ||
        dup2(trace_fd, TRACE_FD) < 0)
        _exit(126);
    snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", interposer);
    snprintf(plan, sizeof(plan), "FAULTLINE=%d:%d:%s", CONTROL_FD, TRACE_FD,
             path);
    snprintf(scratch, sizeof(scratch), "TMPDIR=%.4096s",
             *sandbox_scratch() ? sandbox_scratch() : "/tmp");
    while (tool && tool[n] && n < TOOL_ARGS) {
        argv[n] = (char *)tool[n];
        n++;
    }
    argv[n] = (char *)path;
    argv[n + 1] = NULL;
    leave_for(path);
    close_range(3, CONTROL_FD - 1, 0);
    close_range(TRACE_FD + 1, ~0U, 0);
    sandbox_confine(&limits);
    execve(argv[0], argv, envp);
    _exit(127);
}

/* What the fork server says next. Returns 1; 0 where it says nothing within
 * `wait_ms`, -1 where it is gone. */
static int hear(struct program *program, struct fork_server_said *said,
                int wait_ms)
{
    struct pollfd ready = {program->control, POLLIN, 0};
    int n = poll(&ready, 1, wait_ms);

    if (n <= 0)
        return n < 0 && errno != EINTR ? -1 : 0;
    return recv(program->control, said, sizeof(*said), 0) == sizeof(*said) ? 1
                                                                           : -1;
}

/* The loader may take as long as it likes on a busy machine; not for ever
 * with nothing done, nor with more than it can need. */
static int hear_loader(struct program *program, struct fork_server_said *said)
{
    uint64_t spent_ns = 0;

    for (;;) {
        int heard = hear(program, said, READY_MS / 2);
        uint64_t now_ns = heard ? 0 : census_cpu_ns(program->server);

        if (heard || now_ns == spent_ns || now_ns > LOADER_CPU_NS)
            return heard;
        spent_ns = now_ns;
    }
}

int program_open_under(struct program *program, const char *const *tool,
                       const char *path, const char *interposer)
{
    struct fork_server_said said = {0};
    int pair[2], trace_fd;

    memset(program, 0, sizeof(*program));
    program->control = program->output = program->errors = -1;
    program->input = -1;
    program->ready_ms = READY_MS;
    program->slowness = tool ? TOOL_SLOWNESS : 1;
    trace_fd = trace_create(&program->trace);
    if (trace_fd < 0)
        return -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        close(trace_fd);
        return -1;
    }
    program->control = pair[0];
    program->server = fork();
    if (program->server == 0)
        execute(tool, path, interposer, pair[1], trace_fd);
    close(pair[1]);
    close(trace_fd);
    if (program->server < 0 || hear_loader(program, &said) != 1) {
        program_close(program);
        errno = ENOEXEC;
        return -1;
    }
    return 0;
}

int program_open(struct program *program, const char *path,
                 const char *interposer)
{
    return program_open_under(program, NULL, path, interposer);
}

static size_t signal_each(const struct census *census, int signal, pid_t *one)
{
    size_t left = 0;

    for (size_t i = 0; i < census->count; i++) {
        const struct census_process *process = &census->process[i];

        if (process->state != 'Z' && kill(process->pid, signal) == 0) {
            left++;
            *one = process->pid;
        }
        if (process->parent == getpid())
            waitpid(process->pid, NULL, WNOHANG);
    }
    return left;
}

/* Every process of the run: what the fork server forked, and what was
 * orphaned and came to us. `one` of them is told. */
static size_t signal_run(struct program *program, int signal, pid_t *one)
{
    struct census mine, its;

    census_take(&its, program->server, 0);
    census_take(&mine, getpid(), program->server);
    size_t left = signal_each(&its, signal, one);
    left += signal_each(&mine, signal, one);
    census_release(&mine);
    census_release(&its);
    return left;
}

size_t program_signal(struct program *program, int signal)
{
    pid_t one;

    return signal_run(program, signal, &one);
}

/* The kernel takes its time to end a process, and needs the processor that a
 * look at it would take. Where there is no pidfd, a short wait. */
static void await_death(pid_t pid)
{
    struct pollfd death = {(int)syscall(SYS_pidfd_open, pid, 0), POLLIN, 0};

    poll(&death, 1, death.fd < 0 ? 1 : DEATH_MS);
    close_fd(&death.fd);
}

/* Those that fork faster than they can be killed are stopped first: the
 * limit on processes then ends them. */
#define STORM 300
static void calm(struct program *program)
{
    size_t before = 0, now;

    while ((now = program_signal(program, SIGSTOP)) > before)
        before = now;
}

void program_kill(struct program *program)
{
    struct fork_server_said said = {0};
    pid_t one;

    close_fd(&program->input);
    if (program->server > 0 && program_signal(program, SIGKILL) > STORM &&
        !sandbox_end_all()) {
        atomic_store(&program->trace->over, 1);
        calm(program);
    }
    while (program->server > 0) {
        size_t left = signal_run(program, SIGKILL, &one);

        if (left == 0 && !program->running)
            break;
        program_hurry(program);
        if (left > 0 && left < FEW && !atomic_load(&program->trace->over))
            await_death(one);
        int heard =
            program->running ? hear(program, &said, left ? 0 : DEATH_MS) : 0;
        if (heard != 0) {
            program->running = false;
            program->status = heard > 0 ? said.status : SIGKILL;
        }
    }
    close_fd(&program->output);
    close_fd(&program->errors);
    proc_forget(); /* those that we looked at are gone */
}

void program_close(struct program *program)
{
    program_kill(program);
    if (program->server > 0) {
        kill(program->server, SIGKILL);
        waitpid(program->server, &program->status, 0);
    }
    close_fd(&program->control);
    if (program->trace)
        trace_unmap(program->trace);
    program->trace = NULL;
    program->server = 0;
}

static int send_run(int control, const struct fork_server_run *run,
                    const int fds[3])
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(3 * sizeof(int))];
    } rights = {0};
    struct iovec data = {(void *)run, sizeof(*run)};
    struct msghdr msg = {.msg_iov = &data,
                         .msg_iovlen = 1,
                         .msg_control = rights.room,
                         .msg_controllen = sizeof(rights.room)};
    struct cmsghdr *head = CMSG_FIRSTHDR(&msg);

    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(3 * sizeof(int));
    memcpy(CMSG_DATA(head), fds, 3 * sizeof(int));
    return sendmsg(control, &msg, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

static int pack_args(struct fork_server_run *run, const char *const *argv)
{
    size_t at = 0;

    for (; argv[run->argc]; run->argc++) {
        size_t len = strlen(argv[run->argc]) + 1;

        if (run->argc == FORK_SERVER_ARGS || at + len > sizeof(run->args)) {
            errno = E2BIG;
            return -1;
        }
        memcpy(run->args + at, argv[run->argc], len);
        at += len;
    }
    return 0;
}

static int nonblocking(int fd)
{
    return fcntl(fd, F_SETFL, O_NONBLOCK);
}

/* Pipes for what it prints; we read without waiting. */
static int open_outputs(struct program *program,
                        const struct program_start *start, int fds[3])
{
    int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2];

    if (pipe2(err, O_CLOEXEC) < 0)
        return -1;
    if (start->output < 0 && pipe2(out, O_CLOEXEC) < 0)
        return -1;
    if (start->input_pipe && pipe2(in, O_CLOEXEC) < 0)
        return -1;
    program->output = out[0];
    program->errors = err[0];
    program->input = in[1];
    nonblocking(err[0]);
    if (out[0] >= 0)
        nonblocking(out[0]);
    if (in[1] >= 0)
        nonblocking(in[1]);
    fds[0] = start->input_pipe   ? in[0]
             : start->input >= 0 ? dup(start->input)
                                 : open("/dev/null", O_RDONLY | O_CLOEXEC);
    fds[1] = start->output >= 0 ? dup(start->output) : out[1];
    fds[2] = err[1];
    return fds[0] < 0 || fds[1] < 0 ? -1 : 0;
}

/* A program may stop the fork server before that has said anything. While it
 * is ready to run, and gets no processor, no time of its own has passed. */
static int hear_begin(struct program *program, struct fork_server_said *said)
{
    const unsigned slice_ms = 200;

    for (unsigned ms = 0; ms < program->ready_ms;) {
        int heard = hear(program, said, (int)slice_ms);

        if (heard != 0)
            return heard;
        program_hurry(program);
        char state = census_state(program->server);
        ms += state == 'R' || state == 'D' ? 0 : slice_ms;
    }
    return 0;
}

/* What it might still say, and start, would be taken for the next run's. */
static void give_up(struct program *program)
{
    siginfo_t end;
    pid_t one;

    kill(program->server, SIGKILL);
    while (waitid(P_PID, (id_t)program->server, &end, WEXITED | WNOWAIT) < 0 &&
           errno == EINTR)
        continue;
    while (signal_run(program, SIGKILL, &one) > 0)
        await_death(one);
    waitpid(program->server, &program->status, 0);
    program->server = 0;
}

int program_run(struct program *program, const struct program_start *start)
{
    struct fork_server_run run = {.descriptors = start->descriptors,
                                  .taken = {start->taken[0], start->taken[1]}};
    struct fork_server_said said = {0};
    int fds[3] = {-1, -1, -1};

    if (pack_args(&run, start->argv) < 0)
        return -1;
    program->pid = 0;
    int result = open_outputs(program, start, fds);
    if (result == 0)
        result = send_run(program->control, &run, fds);
    for (int i = 0; i < 3; i++)
        close_fd(&fds[i]);
    if (result < 0)
        return -1;
    int heard = hear_begin(program, &said);
    if (heard == 0) {
        give_up(program);
        errno = ETIME;
        return -1;
    }
    if (heard < 0 || said.pid < 0) {
        errno = said.status ? said.status : ENOEXEC;
        return -1;
    }
    program->pid = said.pid;
    program->running = true;
    return 0;
}

bool program_is_open(const struct program *program)
{
    struct pollfd end = {program->control, 0, 0};

    return program->server > 0 && poll(&end, 1, 0) == 0;
}

bool program_ended(struct program *program)
{
    struct fork_server_said said = {0};

    if (!program->running)
        return true;
    int heard = hear(program, &said, 0);
    if (heard == 0)
        return false;
    program->running = false;
    program->status = heard > 0 ? said.status : SIGKILL;
    return true;
}

void program_hurry(const struct program *program)
{
    if (program->server > 0)
        kill(program->server, SIGCONT);
}

const char *program_limit_text(int signal)
{
    return signal == SIGXCPU ? ": it used more CPU time than any case needs"
           : signal == SIGSYS
               ? ": it made a system call around libc; what cannot be "
                 "observed cannot be graded"
           : signal == SIGXFSZ ? ": it wrote a file of more than 64 MiB"
                               : "";
}

char *program_status_text(int status, char *text, size_t size)
{
    if (WIFEXITED(status))
        snprintf(text, size, "exited with %d", WEXITSTATUS(status));
    else if (WIFSIGNALED(status))
        snprintf(text, size, "was killed by SIG%s%s",
                 sigabbrev_np(WTERMSIG(status)),
                 program_limit_text(WTERMSIG(status)));
    else
        snprintf(text, size, "stopped");
    return text;
}
