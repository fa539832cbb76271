/* census.c - reading /proc(5). */
#define _GNU_SOURCE
#include "census.h"

#include "proc.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What follows the command's name, which may hold anything: state, parent... */
static const char *after_name(const char *stat)
{
    const char *end = strrchr(stat, ')');

    return end && end[1] ? end + 2 : NULL;
}

/* Its state, and how many threads it has; 'X' and 0 where it is gone. */
static char read_stat(pid_t pid, unsigned *threads)
{
    char stat[512];
    const char *rest = NULL;

    if (proc_look(PROC_STAT, pid, 0, stat, sizeof(stat)) > 0)
        rest = after_name(stat);
    if (!rest || sscanf(rest,
                        "%*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                        "%*s %*s %*s %*s %u",
                        threads) != 1) {
        *threads = 0;
        return 'X';
    }
    /* pthread_exit(3) in main(): the first thread is a zombie while others
     * live, and the process is none. */
    return *rest == 'Z' && *threads > 1 ? 'S' : *rest;
}

char census_state(pid_t pid)
{
    unsigned threads;

    return read_stat(pid, &threads);
}

static int add_process(struct census *census, pid_t pid, pid_t parent)
{
    unsigned threads;
    char state = read_stat(pid, &threads);

    if (state == 'X')
        return 0;
    if (census->count == census->room) {
        size_t room = census->room ? census->room * 2 : 64;
        void *more = realloc(census->process, room * sizeof(*census->process));

        if (!more)
            return -1;
        census->process = more;
        census->room = room;
    }
    census->process[census->count++] =
        (struct census_process){pid, parent, state, threads};
    census->zombies += state == 'Z';
    return 0;
}

static int add_children_of(struct census *census, pid_t pid, pid_t tid,
                           pid_t except)
{
    char list[32768], *at = list, *end;

    if (proc_look(PROC_CHILDREN, pid, tid, list, sizeof(list)) <= 0)
        return 0;
    for (;;) {
        long child = strtol(at, &end, 10);

        if (end == at)
            return 0;
        at = end;
        if (child != except && add_process(census, (pid_t)child, pid) < 0)
            return -1;
    }
}

/* Each thread has children of its own; most programs have one of these. */
static int add_all_children(struct census *census, pid_t pid, unsigned threads,
                            pid_t except)
{
    char path[64];
    struct dirent *entry;
    int result = 0;

    if (threads == 1)
        return add_children_of(census, pid, pid, except);
    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    if (!tasks)
        return 0;
    while (result == 0 && (entry = readdir(tasks)))
        if (entry->d_name[0] != '.')
            result = add_children_of(census, pid, atoi(entry->d_name), except);
    closedir(tasks);
    return result;
}

int census_take(struct census *census, pid_t parent, pid_t except)
{
    memset(census, 0, sizeof(*census));
    if (add_children_of(census, parent, parent, except) < 0)
        return -1;
    for (size_t i = 0; i < census->count; i++) {
        const struct census_process *process = &census->process[i];

        if (process->state != 'Z' &&
            add_all_children(census, process->pid, process->threads, except) <
                0)
            return -1;
    }
    return 0;
}

void census_release(struct census *census)
{
    free(census->process);
    memset(census, 0, sizeof(*census));
}

/* "NR arg0 .. arg5 sp pc", "-1 sp pc" or "running": proc(5). */
static void read_syscall(struct census_thread *thread)
{
    char text[256];
    unsigned long long a[6];

    thread->syscall = -2;
    if (proc_look(PROC_CALL, thread->pid, thread->tid, text, sizeof(text)) <= 0)
        return;
    int n = sscanf(text, "%ld %llx %llx %llx %llx %llx %llx", &thread->syscall,
                   &a[0], &a[1], &a[2], &a[3], &a[4], &a[5]);
    if (n < 1)
        thread->syscall = -1; /* running */
    for (int i = 0; i < n - 1; i++)
        thread->arg[i] = a[i];
}

static void read_turns(struct census_thread *thread)
{
    char text[512];
    unsigned long long cpu, waited, turns;

    if (proc_look(PROC_TURNS, thread->pid, thread->tid, text, sizeof(text)) >
            0 &&
        sscanf(text, "%llu %llu %llu", &cpu, &waited, &turns) == 3) {
        thread->cpu_ns = cpu;
        thread->turns = turns;
    }
    if (thread->state == 'S')
        read_syscall(thread);
}

static char read_thread_state(pid_t pid, pid_t tid)
{
    char text[512];
    const char *rest = NULL;

    if (proc_look(PROC_THREAD, pid, tid, text, sizeof(text)) > 0)
        rest = after_name(text);
    return rest ? *rest : 'X';
}

bool census_lives(pid_t pid, pid_t tid)
{
    return !strchr("XZ", read_thread_state(pid, tid));
}

bool census_thread(pid_t pid, pid_t tid, struct census_thread *thread)
{
    *thread = (struct census_thread){
        .pid = pid,
        .tid = tid,
        .state = read_thread_state(pid, tid),
        .syscall = -2,
    };
    if (strchr("XZ", thread->state))
        return false;
    read_turns(thread);
    return true;
}

size_t census_threads(pid_t pid, struct census_thread *threads, size_t most)
{
    const struct census_process process = {.pid = pid};

    return census_threads_of(&process, threads, most);
}

size_t census_threads_of(const struct census_process *process,
                         struct census_thread *threads, size_t most)
{
    pid_t pid = process->pid;
    char path[64];
    struct dirent *entry;
    size_t count = 0;

    if (process->threads == 1 && most > 0) {
        threads[0] = (struct census_thread){
            .pid = pid, .tid = pid, .state = process->state, .syscall = -2};
        read_turns(&threads[0]);
        return 1;
    }
    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    if (!tasks)
        return 0;
    while (count < most && (entry = readdir(tasks)))
        if (entry->d_name[0] != '.')
            count += census_thread(pid, atoi(entry->d_name), &threads[count]);
    closedir(tasks);
    return count;
}

/* The thread through which memory and descriptors are seen: what the first one
 * had of them it has given up when it ended before the others. */
static pid_t view_of(pid_t pid)
{
    struct census_thread one;
    unsigned threads;

    read_stat(pid, &threads);
    if (threads <= 1 || census_lives(pid, pid) ||
        census_threads(pid, &one, 1) == 0)
        return pid;
    return one.tid;
}

/* A number from /proc/PID/status. Returns -1 where it is not there. */
static long long status_field(pid_t pid, pid_t tid, const char *name, int base)
{
    char text[4096];
    ssize_t n =
        tid ? proc_read(proc_open("/proc/%d/task/%d/status", pid, tid), text,
                        sizeof(text))
            : proc_read(proc_open("/proc/%d/status", pid), text, sizeof(text));

    if (n <= 0)
        return -1;
    const char *at = strstr(text, name);
    return at ? (long long)strtoull(at + strlen(name), NULL, base) : -1;
}

size_t census_thread_count(pid_t pid)
{
    long long count = status_field(pid, 0, "\nThreads:", 10);

    return count < 0 ? 0 : (size_t)count;
}

static int read_set(pid_t pid, pid_t tid, const char *name, uint64_t *set)
{
    char text[4096];
    const char *at;

    if (proc_read(proc_open("/proc/%d/task/%d/status", pid, tid), text,
                  sizeof(text)) <= 0 ||
        !(at = strstr(text, name)))
        return -1;
    *set = strtoull(at + strlen(name), NULL, 16);
    return 0;
}

int census_blocked(pid_t pid, pid_t tid, uint64_t *mask)
{
    return read_set(pid, tid, "\nSigBlk:", mask);
}

int census_caught(pid_t pid, uint64_t *set)
{
    return read_set(pid, pid, "\nSigCgt:", set);
}

/* Exact, where /proc/PID/status may be off by the batches of its counters,
 * and without what the program shares with us: the trace grows with it. */
static long anonymous_kib(pid_t pid)
{
    char text[4096];
    ssize_t n =
        proc_read(proc_open("/proc/%d/smaps_rollup", pid), text, sizeof(text));
    const char *at = n > 0 ? strstr(text, "\nAnonymous:") : NULL;

    return at ? strtol(at + strlen("\nAnonymous:"), NULL, 10) : -1;
}

long census_memory_kib(pid_t pid, bool peak)
{
    pid = view_of(pid);
    long kib =
        peak ? (long)status_field(pid, 0, "\nVmHWM:", 10) : anonymous_kib(pid);

    return kib < 0 ? (long)status_field(pid, 0, "\nVmRSS:", 10) : kib;
}

uint64_t census_resident_bytes(pid_t pid)
{
    char text[256];
    unsigned long long size, resident;

    if (proc_read(proc_open("/proc/%d/statm", view_of(pid)), text,
                  sizeof(text)) <= 0 ||
        sscanf(text, "%llu %llu", &size, &resident) != 2)
        return 0;
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t census_own_bytes(pid_t pid)
{
    static const char *const parts[] = {"\nPss_Anon:", "\nPss_Shmem:"};
    char text[4096];
    uint64_t kib = 0;

    if (proc_read(proc_open("/proc/%d/smaps_rollup", view_of(pid)), text,
                  sizeof(text)) <= 0)
        return 0;
    for (int i = 0; i < 2; i++) {
        const char *at = strstr(text, parts[i]);

        kib += at ? strtoull(at + strlen(parts[i]), NULL, 10) : 0;
    }
    return kib * 1024;
}

uint64_t census_written_bytes(pid_t pid)
{
    const char name[] = "\nwrite_bytes: ";
    char text[512];
    const char *at = NULL;

    if (proc_read(proc_open("/proc/%d/io", pid), text, sizeof(text)) > 0)
        at = strstr(text, name);
    return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

uint64_t census_cpu_ns(pid_t pid)
{
    struct census_thread threads[64];
    size_t count = census_threads(pid, threads, 64);
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += threads[i].cpu_ns;
    return sum;
}

static void read_fd(pid_t pid, struct census_fd *fd)
{
    char path[64];
    unsigned long long inode = 0;

    snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd->fd);
    ssize_t len = readlink(path, fd->target, sizeof(fd->target) - 1);
    fd->target[len < 0 ? 0 : len] = '\0';
    fd->kind = CENSUS_FILE;
    if (sscanf(fd->target, "socket:[%llu]", &inode) == 1)
        fd->kind = CENSUS_SOCKET;
    else if (sscanf(fd->target, "pipe:[%llu]", &inode) == 1)
        fd->kind = CENSUS_PIPE;
    else if (strncmp(fd->target, "anon_inode:", 11) == 0)
        fd->kind = CENSUS_ANON;
    fd->inode = inode;
}

static int by_number(const void *a, const void *b)
{
    return ((const struct census_fd *)a)->fd -
           ((const struct census_fd *)b)->fd;
}

int census_fds(pid_t pid, struct census_fd *fds, size_t most)
{
    char path[64];
    struct dirent *entry;
    size_t count = 0;

    pid = view_of(pid);
    snprintf(path, sizeof(path), "/proc/%d/fd", pid);
    DIR *dir = opendir(path);
    if (!dir)
        return -1;
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        if (count < most) {
            fds[count].fd = atoi(entry->d_name);
            read_fd(pid, &fds[count]);
        }
        count++;
    }
    closedir(dir);
    qsort(fds, count < most ? count : most, sizeof(*fds), by_number);
    return (int)count;
}

struct census_held census_held(pid_t pid)
{
    struct census_fd fds[CENSUS_COUNTED];
    int count = census_fds(pid, fds, CENSUS_COUNTED);
    struct census_held held = {.all = count < 0 ? 0 : (unsigned)count};

    for (int i = 0; i < count && i < CENSUS_COUNTED; i++)
        held.sockets += fds[i].kind == CENSUS_SOCKET;
    return held;
}

bool census_holds_more(struct census_held before, struct census_held now)
{
    return now.all > before.all + 1 ||
           (now.all > before.all && now.sockets > before.sockets);
}

/* proc_pid_fdinfo(5); one that is not told counts as armed. */
static enum census_timer timer_of(pid_t pid, int fd)
{
    unsigned long long ticks, s, ns;
    char text[512];

    if (proc_read(proc_open("/proc/%d/fdinfo/%d", pid, fd), text,
                  sizeof(text)) <= 0)
        return CENSUS_TIMER_ARMED;
    const char *value = strstr(text, "it_value: (");
    if (!value || sscanf(value, "it_value: (%llu, %llu)", &s, &ns) != 2 ||
        s > 0 || ns > 0)
        return CENSUS_TIMER_ARMED;
    const char *count = strstr(text, "ticks: ");
    return count && sscanf(count, "ticks: %llu", &ticks) == 1 && ticks > 0
               ? CENSUS_TIMER_FIRED
               : CENSUS_TIMER_NONE;
}

enum census_timer census_timer(pid_t pid)
{
    enum census_timer timer = CENSUS_TIMER_NONE;
    struct census_fd fds[256];
    char timers[64];
    int count = census_fds(pid, fds, 256);

    if (proc_read(proc_open("/proc/%d/timers", pid), timers, sizeof(timers)) >
        0)
        return CENSUS_TIMER_ARMED;
    for (int i = 0; i < count && i < 256; i++) {
        if (!strstr(fds[i].target, "timerfd"))
            continue;
        enum census_timer one = timer_of(pid, fds[i].fd);
        if (timer < one)
            timer = one;
    }
    return timer;
}
