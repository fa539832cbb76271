/* sandbox_end.c - ends the processes of a submission, and counts those that are
 * left. */
#define _GNU_SOURCE
#include "sandbox_internal.h"

#include "census.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int sandbox_await(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Every process below us: each has come to us, or is below one that will. A
 * stopped one forks no more, so that a storm of them comes to an end. */
static size_t signal_all(int signal)
{
    struct census census;
    size_t left = 0;

    if (census_take(&census, getpid(), 0) == 0)
        for (size_t i = 0; i < census.count; i++)
            left += census.process[i].state != 'Z' &&
                    kill(census.process[i].pid, signal) == 0;
    census_release(&census);
    return left;
}

void sandbox_end_below(void)
{
    size_t before = 0, now;

    while ((now = signal_all(SIGSTOP)) > before)
        before = now;
    do {
        now = signal_all(SIGKILL);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            now = 1;
    } while (now > 0);
}

/* kill(2): -1 is every process that the caller may signal, itself aside. */
void sandbox_end_user(void)
{
    while (sandbox_owns_processes(sandbox.uid)) {
        pid_t pid = fork();

        if (pid == 0) {
            setresgid(sandbox.gid, sandbox.gid, sandbox.gid);
            if (setresuid(sandbox.uid, sandbox.uid, sandbox.uid) == 0)
                kill(-1, SIGKILL);
            _exit(0);
        }
        if (pid > 0)
            sandbox_await(pid);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
        sched_yield();
    }
}

/* ---- Called by the worker ---- */

static bool has_it_for_itself(void)
{
    return sandbox.active && sandbox.kind != SANDBOX_PLAIN &&
           sandbox.worker == getpid();
}

int sandbox_live(void)
{
    DIR *proc = has_it_for_itself() ? opendir("/proc") : NULL;
    struct dirent *entry;
    struct stat info;
    int live = 0;

    if (!proc)
        return -1;
    while ((entry = readdir(proc)))
        live += atoi(entry->d_name) > 0 &&
                (sandbox.kind == SANDBOX_NAMESPACES ||
                 (fstatat(dirfd(proc), entry->d_name, &info, 0) == 0 &&
                  info.st_uid == sandbox.uid)) &&
                census_state(atoi(entry->d_name)) != 'Z';
    closedir(proc);
    return live;
}

bool sandbox_end_all(void)
{
    if (!has_it_for_itself())
        return false;
    if (sandbox.kind == SANDBOX_UID)
        sandbox_end_user();
    else
        kill(-1, SIGKILL);
    return true;
}
