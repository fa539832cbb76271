/* proc.h - reading the files of proc(5).
 *
 * Those that every look at the program reads stay open: to look up their names,
 * look after look, while processes end has the kernel clean up after itself,
 * for seconds where several graders do so. Read from the start they show what
 * is so now; and of who is gone nothing, whoever has the number since.
 *
 * Must not know: what the files say.
 */
#ifndef FAULTLINE_PROC_H
#define FAULTLINE_PROC_H

#include <stddef.h>
#include <sys/types.h>

/* open(2) for reading, by a path as in printf(3). */
__attribute__((format(printf, 1, 2))) int proc_open(const char *format, ...);

/* Reads the whole file into `text`, and closes it. Returns its length, without
 * the NUL that ends it; or -1: there is nothing to read. `fd` may be -1. */
ssize_t proc_read(int fd, char *text, size_t size);

/* The files that stay open: /proc/PID/stat; and in /proc/PID/task/TID children,
 * stat, schedstat and syscall. */
enum proc_look {
    PROC_STAT, /* of the process: `tid` is 0 */
    PROC_CHILDREN,
    PROC_THREAD,
    PROC_TURNS,
    PROC_CALL
};

/* The same as proc_read() of that file. */
ssize_t proc_look(enum proc_look look, pid_t pid, pid_t tid, char *text,
                  size_t size);

/* Closes what this thread keeps open. A child of fork(2) begins so: it may have
 * another /proc, in which the numbers are those of others. */
void proc_forget(void);

#endif
