/* census.h - what the kernel shows of the program: /proc/PID.
 *
 * The kernel's word, not the program's: processes, zombies, threads,
 * descriptors, signal masks, memory, CPU time, the call a thread is in.
 *
 * Must not know: what a program ought to look like.
 */
#ifndef FAULTLINE_CENSUS_H
#define FAULTLINE_CENSUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A process below the one that was asked for. */
struct census_process {
    pid_t pid;
    pid_t parent;
    char state; /* as in proc(5): R S D Z T ... */
    unsigned threads;
};

struct census {
    struct census_process *process; /* live ones and zombies */
    size_t count;
    size_t zombies; /* of them */
    size_t room;
};

/* One thread, as it stands. */
struct census_thread {
    pid_t pid;
    pid_t tid;
    char state;
    uint64_t cpu_ns; /* time on a processor */
    uint64_t turns;  /* times it was put on one */
    long syscall;    /* the call it is blocked in; -1: none, -2: unknown */
    uint64_t arg[6];
};

/* A descriptor. */
struct census_fd {
    int fd;
    enum { CENSUS_FILE, CENSUS_SOCKET, CENSUS_PIPE, CENSUS_ANON } kind;
    uint64_t inode; /* sockets and pipes */
    char target[64];
};

/* Lists the children of `parent`, their children and so on; not `parent`
 * itself and nothing below `except`. Of `parent` it is the first thread that
 * forks, and that takes in orphans. Returns 0, or -1 with errno.
 * census_release() frees it either way. */
int census_take(struct census *census, pid_t parent, pid_t except);
void census_release(struct census *census);

/* Lists the threads of a process that have not ended, at most `most`. Returns
 * how many; 0 where the process is gone. */
size_t census_threads(pid_t pid, struct census_thread *threads, size_t most);

/* The same of a process of a census that was just taken: with one thread its
 * state is that of then. */
size_t census_threads_of(const struct census_process *process,
                         struct census_thread *threads, size_t most);

/* One of them. Returns false where it has ended. */
bool census_thread(pid_t pid, pid_t tid, struct census_thread *thread);

/* How many threads a process has; 0 where it is gone. */
size_t census_thread_count(pid_t pid);

/* Lists the descriptors of a process, at most `most`, by number. Returns how
 * many there are (which may be more than `most`), or -1 where it is gone. */
int census_fds(pid_t pid, struct census_fd *fds, size_t most);

/* How many descriptors a process holds, of the first CENSUS_COUNTED how many
 * are sockets. */
#define CENSUS_COUNTED 256
struct census_held {
    unsigned all, sockets;
};
struct census_held census_held(pid_t pid);

/* Does it hold more than before? One that is no socket may have been opened
 * when it was needed first, and be kept: a log, a timer. */
bool census_holds_more(struct census_held before, struct census_held now);

/* Does it hold a timer that will wake it: an armed one of timerfd_create(2), or
 * any of timer_create(2)? Else, has one gone off that it has not read yet? One
 * that is due, and that the kernel has not got to, looks like none. */
enum census_timer { CENSUS_TIMER_NONE, CENSUS_TIMER_FIRED, CENSUS_TIMER_ARMED };
enum census_timer census_timer(pid_t pid);

/* The signals that a thread blocks, bit (N - 1) for signal N. Returns 0, or
 * -1 where the thread is gone. */
int census_blocked(pid_t pid, pid_t tid, uint64_t *mask);

/* The same for the signals that a process has a handler for. */
int census_caught(pid_t pid, uint64_t *set);

/* Resident memory of its own (anonymous) in KiB; -1 where it is gone. With
 * `peak` the most that it ever had, shared memory too. */
long census_memory_kib(pid_t pid, bool peak);

/* In bytes, 0 where it is gone: memory that it has now; and of that what
 * comes from no file, pages that processes share in parts, which takes the
 * kernel longer to count. */
uint64_t census_resident_bytes(pid_t pid);
uint64_t census_own_bytes(pid_t pid);

/* What it has written to files on disks so far, in bytes; 0 where it is gone
 * or the kernel does not count. */
uint64_t census_written_bytes(pid_t pid);

/* CPU time of all threads so far, in nanoseconds; 0 where it is gone. */
uint64_t census_cpu_ns(pid_t pid);

/* Has that thread neither ended nor gone? */
bool census_lives(pid_t pid, pid_t tid);

/* The state of a process as in proc(5); 'X' where it is gone. 'Z' only when
 * all its threads have ended, not when main() has left the others behind. */
char census_state(pid_t pid);

#endif
