/* proc.c - reading the files of proc(5), and keeping some of them open. */
#define _GNU_SOURCE
#include "proc.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

int proc_open(const char *format, ...)
{
    char path[96];
    va_list list;

    va_start(list, format);
    vsnprintf(path, sizeof(path), format, list);
    va_end(list);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* Most files the kernel gives whole at once; those that it does not are read
 * to their end. */
static ssize_t read_from_start(int fd, bool pieces, char *text, size_t size)
{
    ssize_t n, len = 0;

    do {
        n = pread(fd, text + len, size - 1 - (size_t)len, len);
        len += n > 0 ? n : 0;
    } while (pieces && n > 0 && (size_t)len < size - 1);
    text[len] = '\0';
    return n < 0 ? n : len;
}

ssize_t proc_read(int fd, char *text, size_t size)
{
    text[0] = '\0';
    if (fd < 0)
        return -1;
    ssize_t n = read_from_start(fd, true, text, size);
    close(fd);
    return n;
}

/* ---- Files that stay open ---- */

#define KEPT_MOST 128

struct kept {
    int fd; /* 0: none */
    enum proc_look look;
    pid_t pid, tid;
    uint64_t since; /* the count of those that were opened before */
};
static _Thread_local struct kept kept[KEPT_MOST];
static size_t places;

void proc_forget(void)
{
    for (size_t i = 0; i < places; i++)
        if (kept[i].fd > 0)
            close(kept[i].fd);
    memset(kept, 0, sizeof(kept));
}

static void find_places(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
        pthread_atfork(NULL, NULL, proc_forget) == 0)
        places =
            limit.rlim_cur / 8 < KEPT_MOST ? limit.rlim_cur / 8 : KEPT_MOST;
}

static struct kept *place_of(enum proc_look look, pid_t pid, pid_t tid)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, find_places);
    size_t number = (size_t)(tid ? tid : pid) * (PROC_CALL + 1) + look;
    return places > 0 ? &kept[number % places] : NULL;
}

static bool is_kept(const struct kept *place, enum proc_look look, pid_t pid,
                    pid_t tid)
{
    return place && place->fd > 0 && place->look == look && place->pid == pid &&
           place->tid == tid;
}

static int open_look(enum proc_look look, pid_t pid, pid_t tid)
{
    static const char *const name[] = {[PROC_CHILDREN] = "children",
                                       [PROC_THREAD] = "stat",
                                       [PROC_TURNS] = "schedstat",
                                       [PROC_CALL] = "syscall"};

    return look == PROC_STAT
               ? proc_open("/proc/%d/stat", pid)
               : proc_open("/proc/%d/task/%d/%s", pid, tid, name[look]);
}

/* Who is gone has no children, and nor has who has none: that is to be believed
 * of a process only whose stat has been open since before, and is there. */
static bool may_be_another_s(const struct kept *place, ssize_t n)
{
    const struct kept *stat = place_of(PROC_STAT, place->pid, 0);
    char byte;

    if (place->look != PROC_CHILDREN || n > 0)
        return n < 0;
    return place->tid != place->pid ||
           !is_kept(stat, PROC_STAT, place->pid, 0) ||
           stat->since > place->since || pread(stat->fd, &byte, 1, 0) != 1;
}

ssize_t proc_look(enum proc_look look, pid_t pid, pid_t tid, char *text,
                  size_t size)
{
    static _Thread_local uint64_t opened;
    struct kept *place = place_of(look, pid, tid);
    ssize_t n;

    if (is_kept(place, look, pid, tid)) {
        n = read_from_start(place->fd, look == PROC_CHILDREN, text, size);
        if (!may_be_another_s(place, n))
            return n;
    }
    int fd = open_look(look, pid, tid);
    if (fd < 0)
        return -1;
    n = read_from_start(fd, look == PROC_CHILDREN, text, size);
    if (!place) {
        close(fd);
        return n;
    }
    if (place->fd > 0)
        close(place->fd);
    *place = (struct kept){fd, look, pid, tid, opened++};
    return n;
}
