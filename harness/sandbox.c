/* sandbox.c - namespaces(7), or what can be had without them.
 *
 * Who is who: the worker plays the cases, and what it starts of the
 * submission's gives up everything in sandbox_confine(). With namespaces the
 * worker is the first process of its own, which no process inside can signal,
 * and has no rights outside. Without, as root, it keeps the rights to signal
 * and to become the submission's user; it looks at files and at /proc as that
 * user does. */
#define _GNU_SOURCE
#include "sandbox_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OWN                                                                    \
    (CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS |               \
     CLONE_NEWIPC | CLONE_NEWUTS)

#define NO_SANDBOX 125
#define TROUBLE    256

struct sandbox sandbox;
char sandbox_hidden[SANDBOX_HIDDEN][PATH_MAX];

struct task {
    int (*work)(void *);
    void *arg;
};

const char *sandbox_name(enum sandbox_kind kind)
{
    static const char *const names[] = {"namespaces", "uid", "plain"};

    return names[kind];
}

const char *sandbox_gaps(enum sandbox_kind kind)
{
    if (kind == SANDBOX_NAMESPACES)
        return "";
    if (kind == SANDBOX_UID)
        return sandbox_has_landlock()
                   ? ""
                   : "submissions can read what any user can";
    return sandbox_has_landlock()
               ? "submissions run as you, with your network and processes"
               : "submissions run as you, and can touch all that you can";
}

const char *sandbox_trouble(void)
{
    return sandbox.trouble ? sandbox.trouble : "";
}

int sandbox_in_trouble(const char *what)
{
    if (sandbox.trouble)
        snprintf(sandbox.trouble, TROUBLE, "%s: %s", what, strerror(errno));
    return -1;
}

const char *sandbox_scratch(void)
{
    return sandbox.scratch;
}

const char *sandbox_kit(void)
{
    return sandbox.kit;
}

void sandbox_hide(const char *folder)
{
    for (int i = 0; i < SANDBOX_HIDDEN; i++)
        if (!sandbox_hidden[i][0]) {
            snprintf(sandbox_hidden[i], PATH_MAX, "%s", folder);
            return;
        }
}

static __attribute__((noreturn)) void give_up(const char *what)
{
    sandbox_in_trouble(what);
    _exit(NO_SANDBOX);
}

/* A debugger that the worker starts may look at the submission's processes,
 * which are another user's. */
static void let_debuggers_look(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct has[2];

    if (syscall(SYS_capget, &head, has) < 0)
        return;
    has[0].inheritable |=
        has[0].permitted & (1u << CAP_SYS_PTRACE | 1u << CAP_DAC_OVERRIDE);
    syscall(SYS_capset, &head, has);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_PTRACE, 0, 0);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0);
}

/* What the submission's user must not read is closed by itself: the worker
 * is of that user where there is but one. */
static __attribute__((noreturn)) void run_worker(const struct task *task)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* forgotten where the user changes */
    prctl(PR_SET_DUMPABLE, 0);
    if (sandbox_make_filter() < 0)
        _exit(NO_SANDBOX);
    let_debuggers_look();
    sandbox.active = true;
    sandbox.worker = getpid();
    _exit(task->work(task->arg));
}

/* ---- With namespaces ---- */

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return -1;
    ssize_t n = write(fd, text, strlen(text));
    close(fd);
    return n < 0 ? -1 : 0;
}

/* user_namespaces(7): an unprivileged user maps itself, and only itself. */
static int map_oneself(void)
{
    char users[32], groups[32];

    snprintf(users, sizeof(users), "%u %u 1", sandbox.uid, sandbox.uid);
    snprintf(groups, sizeof(groups), "%u %u 1", sandbox.gid, sandbox.gid);
    write_file("/proc/self/setgroups", "deny");
    return write_file("/proc/self/uid_map", users) < 0
               ? -1
               : write_file("/proc/self/gid_map", groups);
}

/* Root maps the worker's user and the submission's, and not itself. */
static int map_users(pid_t pid, uid_t worker)
{
    char path[64], map[64];

    snprintf(map, sizeof(map), "%u %u 1\n%u %u 1\n", worker, worker,
             sandbox.uid, sandbox.uid);
    snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
    if (write_file(path, map) < 0)
        return -1;
    snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
    return write_file(path, map);
}

/* /proc/net/tcp walks the whole table of connections, which a new network
 * shares with the machine: 260,000 places, 7 ms. ip-sysctl: a child may have
 * a small one of its own. Where there is no such file, it is only slower. */
static void shrink_connection_table(void)
{
    if (write_file("/proc/sys/net/ipv4/tcp_child_ehash_entries", "1024") == 0)
        unshare(CLONE_NEWNET);
}

/* The first process of the new namespace: when it ends, the kernel ends all
 * others of it. */
static __attribute__((noreturn)) void enter_walls(const struct task *task)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (sandbox_raise_loopback() < 0)
        give_up("no loopback");
    if (sandbox_raise_walls() < 0)
        _exit(NO_SANDBOX);
    run_worker(task);
}

/* `gate`: whoever may map users does so in between. */
static __attribute__((noreturn)) void run_in_namespaces(const struct task *task,
                                                        int gate, uid_t worker)
{
    char byte = 0;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (unshare(OWN) < 0)
        give_up("no namespaces");
    if (gate < 0 && map_oneself() < 0)
        give_up("no users in a namespace");
    if (gate >= 0 &&
        (write(gate, &byte, 1) != 1 || read(gate, &byte, 1) != 1 || byte ||
         setgroups(0, NULL) < 0 || setresgid(worker, worker, worker) < 0 ||
         setresuid(worker, worker, worker) < 0))
        give_up("no users in a namespace");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    shrink_connection_table();
    pid_t pid = fork();
    if (pid == 0)
        enter_walls(task);
    _exit(pid < 0 ? NO_SANDBOX : sandbox_await(pid));
}

static int start_in_namespaces(const struct task *task)
{
    uid_t user[2] = {geteuid(), geteuid()};
    int gate[2] = {-1, -1};
    bool root = user[0] == 0;
    char byte = 0;

    if (root && (sandbox_pick_users(user, 2) < 0 ||
                 socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gate) < 0))
        return -1;
    sandbox.uid = user[1];
    sandbox.gid = root ? user[1] : getegid();
    pid_t pid = fork();
    if (pid == 0)
        run_in_namespaces(task, gate[1], user[0]);
    if (!root)
        return pid;
    close(gate[1]);
    if (pid > 0 && read(gate[0], &byte, 1) == 1) {
        byte = map_users(pid, user[0]) < 0;
        if (write(gate[0], &byte, 1) != 1)
            sandbox_in_trouble("no users in a namespace");
    }
    close(gate[0]);
    return pid;
}

/* ---- Without ---- */

/* Root's worker keeps what it needs to watch another user's processes. */
static int become_watcher(void)
{
    const uint32_t kept = 1u << CAP_KILL | 1u << CAP_SETUID | 1u << CAP_SETGID |
                          1u << CAP_SETPCAP | 1u << CAP_SYS_PTRACE;
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct has[2];

    if (syscall(SYS_capget, &head, has) < 0)
        return -1;
    has[0].permitted &= kept;
    has[0].effective = has[0].permitted;
    has[1] = (struct __user_cap_data_struct){0, 0, 0};
    has[0].inheritable = 0;
    setfsgid(sandbox.gid);
    setfsuid(sandbox.uid);
    return (int)syscall(SYS_capset, &head, has);
}

static volatile sig_atomic_t worker_pid;

static void end_worker(int signal)
{
    (void)signal;
    kill(worker_pid, SIGKILL);
}

/* The worker's parent: takes over, and ends, what the worker leaves; when it
 * is interrupted, too. */
static __attribute__((noreturn)) void supervise(const struct task *task)
{
    static const int ends[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
    const struct sigaction action = {.sa_handler = end_worker};
    sigset_t all, old;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &old);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (sandbox_make_folders() < 0)
        _exit(NO_SANDBOX);
    worker_pid = fork();
    if (worker_pid == 0) {
        sigprocmask(SIG_SETMASK, &old, NULL);
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        if (sandbox.kind == SANDBOX_UID && become_watcher() < 0)
            give_up("no privileges to watch another user");
        run_worker(task);
    }
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        sigaction(ends[i], &action, NULL);
    sigprocmask(SIG_SETMASK, &old, NULL);
    int status = worker_pid < 0 ? NO_SANDBOX : sandbox_await(worker_pid);
    sandbox_end_below();
    if (sandbox.kind == SANDBOX_UID)
        sandbox_end_user();
    sandbox_remove_folders();
    if (sandbox.kind == SANDBOX_UID && !sandbox_has_landlock())
        sandbox_remove_strays();
    _exit(status);
}

static pid_t start_without(const struct task *task)
{
    sandbox.uid = geteuid();
    sandbox.gid = getegid();
    if (sandbox.kind == SANDBOX_UID && sandbox.uid != 0) {
        errno = EPERM;
        return sandbox_in_trouble("only root can become another user");
    }
    if (sandbox.kind == SANDBOX_UID) {
        if (sandbox_pick_users(&sandbox.uid, 1) < 0)
            return -1;
        sandbox.gid = sandbox.uid;
    }
    pid_t pid = fork();
    if (pid == 0)
        supervise(task);
    return pid;
}

/* ---- Either ---- */

int sandbox_run(enum sandbox_kind kind, int (*work)(void *arg), void *arg)
{
    const struct task task = {work, arg};

    fflush(NULL);
    if (!sandbox.trouble) {
        void *page = mmap(NULL, TROUBLE, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        sandbox.trouble = page == MAP_FAILED ? NULL : page;
    }
    if (sandbox.trouble)
        sandbox.trouble[0] = '\0';
    sandbox.kind = kind;
    pid_t pid = kind == SANDBOX_NAMESPACES ? start_in_namespaces(&task)
                                           : start_without(&task);
    if (pid < 0)
        return -1;
    int status = sandbox_await(pid);
    sandbox_release_users();
    if (status == NO_SANDBOX) {
        errno = EPERM;
        return -1;
    }
    return status;
}

/* What will be done for each program: all of it has to work. */
static int try(void *arg)
{
    const struct sandbox_limits limits = {0};
    pid_t pid = fork();

    (void)arg;
    if (pid == 0) {
        sandbox_confine(&limits);
        _exit(0);
    }
    return pid < 0 ? -1 : sandbox_await(pid);
}

bool sandbox_works(enum sandbox_kind kind)
{
    return sandbox_run(kind, try, NULL) == 0;
}

enum sandbox_kind sandbox_best(void)
{
    for (int kind = 0; kind < SANDBOX_PLAIN; kind++)
        if (sandbox_works((enum sandbox_kind)kind))
            return (enum sandbox_kind)kind;
    return SANDBOX_PLAIN;
}
