/* sandbox_confine.c - the last steps of a process before it executes what is
 * the submission's: credentials(7), capabilities(7), getrlimit(2). */
#define _GNU_SOURCE
#include "sandbox_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void limit(int resource, uint64_t most)
{
    struct rlimit old, now = {most, most};

    if (most == 0 || getrlimit(resource, &old) < 0)
        return;
    if (old.rlim_max != RLIM_INFINITY && old.rlim_max < now.rlim_max)
        now.rlim_cur = now.rlim_max = old.rlim_max;
    setrlimit(resource, &now);
}

/* The hard limit of the CPU kills; the soft one says why first. */
static void limit_all(const struct sandbox_limits *limits)
{
    struct rlimit cpu = {limits->cpu_s, limits->cpu_most_s ? limits->cpu_most_s
                                                           : limits->cpu_s + 5};

    if (limits->cpu_s > 0)
        setrlimit(RLIMIT_CPU, &cpu);
    limit(RLIMIT_AS, limits->memory_bytes);
    limit(RLIMIT_FSIZE, limits->file_bytes);
    if (sandbox.active && sandbox.kind != SANDBOX_PLAIN)
        limit(RLIMIT_NPROC, limits->processes);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

static int become_submission(void)
{
    if (getuid() == sandbox.uid && geteuid() == sandbox.uid)
        return 0;
    if (setgroups(0, NULL) < 0)
        return -1;
    return setresgid(sandbox.gid, sandbox.gid, sandbox.gid) < 0 ||
                   setresuid(sandbox.uid, sandbox.uid, sandbox.uid) < 0
               ? -1
               : 0;
}

/* None is left, and none can be got by executing anything. */
static int drop_capabilities(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    const struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};

    for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
        prctl(PR_CAPBSET_DROP, cap);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (become_submission() < 0)
        return -1;
    return (int)syscall(SYS_capset, &head, none);
}

static int load_filter(void)
{
    if (sandbox.filter.len == 0)
        return 0;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &sandbox.filter);
}

/* Root of its own free will (ISOLATION=plain) keeps its user. */
void sandbox_confine(const struct sandbox_limits *limits)
{
    bool own_user = sandbox.active && sandbox.kind != SANDBOX_PLAIN;
    bool fenced = sandbox.active && sandbox.kind != SANDBOX_NAMESPACES &&
                  sandbox_has_landlock();

    limit_all(limits);
    if (!sandbox.active)
        return;
    umask(022);
    if ((own_user && drop_capabilities() < 0) ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        (fenced && sandbox_landlock() < 0) || load_filter() < 0)
        _exit(126);
}

/* In a child: as the submission's user. Returns its exit status. */
static int prlimit_as_user(pid_t pid, int resource, const struct rlimit *now,
                           int answer)
{
    struct rlimit old;

    syscall(SYS_setresgid, sandbox.gid, sandbox.gid, sandbox.gid);
    syscall(SYS_setresuid, sandbox.uid, sandbox.uid, sandbox.uid);
    return syscall(SYS_prlimit64, pid, resource, now, &old) < 0 ||
           write(answer, &old, sizeof(old)) != sizeof(old);
}

/* The call wants the very user of that process, or a privilege that a
 * container's root has not: a child becomes it, and tells the old limit. */
int sandbox_prlimit(pid_t pid, int resource, const struct rlimit *now,
                    struct rlimit *old)
{
    struct rlimit told;
    int answer[2], status = -1;

    if (syscall(SYS_prlimit64, pid, resource, now, old) == 0)
        return 0;
    if (errno != EPERM || !sandbox.active || sandbox.kind != SANDBOX_UID ||
        pipe2(answer, O_CLOEXEC) < 0)
        return -1;
    pid_t child = fork();
    if (child == 0)
        _exit(prlimit_as_user(pid, resource, now, answer[1]));
    close(answer[1]);
    bool done = child > 0 && waitpid(child, &status, 0) == child &&
                status == 0 &&
                read(answer[0], &told, sizeof(told)) == sizeof(told);
    close(answer[0]);
    if (done && old)
        *old = told;
    errno = EPERM;
    return done ? 0 : -1;
}
