/* interposer.h - what the wrappers share.
 *
 * Layers that never blur: the exported symbol (one short function a call, in
 * the order of its manual page), the record (call.c), the decision
 * (ruling.c), the real call (real.x). Every wrapper reads alike:
 *
 *     struct call c = CALL(read, fd, count, 0);
 *     if (call_fails(&c))
 *         return call_end(&c, -1);
 *     return call_end(&c, real.read(fd, buf, call_len(&c, count)));
 *
 * A wrapper may run in a signal handler, between fork and exec, or in a
 * thread that is being cancelled: it takes no lock, allocates nothing, and
 * leaves errno as the real call left it.
 */
#ifndef FAULTLINE_INTERPOSER_H
#define FAULTLINE_INTERPOSER_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#undef _FORTIFY_SOURCE

#include "../trace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <syslog.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

/* clang-format off */
#define REALS(X) \
    X(socket) X(bind) X(listen) X(accept) X(accept4) X(connect) X(shutdown) \
    X(setsockopt) X(close) X(dup) X(dup2) X(dup3) X(fcntl) X(ioctl) \
    X(read) X(recv) X(recvfrom) X(recvmsg) X(readv) \
    X(write) X(send) X(sendto) X(sendmsg) X(writev) X(sendfile) X(splice) \
    X(fdopen) X(select) X(pselect) X(poll) X(ppoll) \
    X(epoll_create) X(epoll_create1) X(epoll_ctl) X(epoll_wait) \
    X(epoll_pwait) X(epoll_pwait2) \
    X(fork) X(wait) X(wait3) X(wait4) X(waitpid) X(waitid) \
    X(_exit) X(exit) X(execve) X(signal) X(sigaction) X(sigprocmask) \
    X(sigtimedwait) X(pthread_sigmask) X(kill) \
    X(pthread_create) X(pthread_detach) X(pthread_join) \
    X(pthread_tryjoin_np) X(pthread_timedjoin_np) X(pthread_clockjoin_np) \
    X(thrd_create) X(thrd_detach) X(thrd_join) X(pthread_once) X(call_once) \
    X(getaddrinfo) X(freeaddrinfo) \
    X(malloc) X(calloc) X(realloc) X(free) \
    X(sleep) X(usleep) X(nanosleep) X(clock_nanosleep) X(thrd_sleep) \
    X(alarm) X(setitimer) \
    X(timer_create) X(timer_settime) X(timerfd_create) X(timerfd_settime) \
    X(vprintf) X(vfprintf) X(puts) X(fputs) X(putchar) X(fputc) X(putc) \
    X(fwrite) X(fflush) X(perror) X(vsyslog) \
    X(pthread_mutex_lock) X(mtx_lock) \
    X(vsnprintf) X(vsprintf) X(strerror) X(strsignal) \
    X(localtime) X(localtime_r) X(gmtime) X(ctime) X(ctime_r) X(asctime) \
    X(strftime)
/* clang-format on */

/* The functions behind ours, bound in the constructor: dlsym() may not run
 * in a wrapper, which may run in a signal handler. */
struct real {
#define REAL_MEMBER(name) __typeof__(name) *name;
    REALS(REAL_MEMBER)
#undef REAL_MEMBER
};
extern struct real real;
void real_bind(void);

/* The shared trace; NULL while the library sleeps, which it does in every
 * program but the one under test. */
extern struct trace *trace;

/* The signal handler that a thread is in. */
struct handling {
    const char *frame; /* where it lies on the stack; NULL: it is in none */
    stack_t stack;     /* as sigaltstack(2) says it there */
    int signal;
};

/* What a thread knows of itself. */
struct self {
    struct trace_thread *slot;
    struct handling handling;
    int asking;                /* inside the interposer's own work: pass on */
    int own_sigpipe;           /* this thread's own write raised SIGPIPE */
    int interrupted;           /* a handler without SA_RESTART has run */
    unsigned handled;          /* how many signals, by handlers */
    const sigset_t *wait_mask; /* of ppoll(2) and its like; NULL: none */
};
extern __thread struct self self __attribute__((tls_model("initial-exec")));

/* One call on its way. */
struct call {
    struct trace_record *record; /* NULL: not recorded */
    uint32_t serial;
    uint32_t outer_call; /* what a handler interrupted */
    int32_t outer_conn;
    uint64_t outer_caller;
    int entry_errno;
    int family;
    int fd;
    int conn;
    int signal;      /* to raise before the caller sees errno */
    int interrupter; /* the signal that an EINTR comes with */
    int gate;        /* 1 + fault whose gate holds it on the way out */
    int timeout_ms;  /* the socket's own: SO_RCVTIMEO, SO_SNDTIMEO; 0: none */
    int32_t action;
    int32_t value; /* bytes at stake; then the ruling's */
    int32_t seen;  /* of them, those that the program knows to be there */
    int32_t ruling;
};

/* What of a call's circumstances decides which failures it could have. */
enum circumstance {
    CALL_PLAIN = 0,
    CALL_WANTS_READ = 1,    /* counts only with something to read */
    CALL_WANTS_WRITE = 2,   /* counts only with room to write */
    CALL_DONTWAIT = 4,      /* MSG_DONTWAIT: never blocks */
    CALL_NEVER_SHORT = 8,   /* MSG_WAITALL and such */
    CALL_NEVER_BLOCKS = 16, /* WNOHANG */
};

#define CALL(name, fd, a0, a1)                                                 \
    call_begin(CALL_##name, (fd), (int64_t)(a0), (int64_t)(a1), CALL_PLAIN,    \
               __builtin_frame_address(0))
#define CALL_ON(name, fd, a0, a1, circumstance)                                \
    call_begin(CALL_##name, (fd), (int64_t)(a0), (int64_t)(a1),                \
               (circumstance), __builtin_frame_address(0))

/* Records the entry, waits at a gate, asks for the ruling. */
struct call call_begin(enum call_id id, int fd, int64_t a0, int64_t a1,
                       int circumstance, void *frame);

/* Says whether the call is to fail; errno is then the one to fail with. */
bool call_fails(struct call *c);

/* The length to use for one of `len` bytes. Never turns it into 0. */
size_t call_len(const struct call *c, size_t len);

/* The same for a vector: `cut` gets a shortened copy. Returns the vector to
 * use and its length in *count. */
#define CALL_IOV_MAX 64
const struct iovec *call_iov(const struct call *c, const struct iovec *iov,
                             size_t *count, struct iovec cut[CALL_IOV_MAX]);

/* Sends a signal to this very thread. errno stays. */
void raise_here(int signal);

/* Records the return; errno as it stands is the call's. Returns `result`. */
int64_t call_end(struct call *c, int64_t result);

/* The same for calls that return an error number. */
int call_end_error(struct call *c, int error);

/* Notes a wait with a time-out: -1 for ever. */
void call_timeout(struct call *c, int64_t ms);

/* After call_timeout(): is that time over at once? trace.h: pauses_fly_ms. */
bool call_flies(struct call *c, bool waits);

/* Ends a wait or pause: `expired` says that its time-out ran out. */
void call_woke(struct call *c, bool expired);

/* A poll that came was for this connection alone. */
void call_whose(struct call *c, int conn);

/* A short text to keep with the record. */
void call_note(struct call *c, const char *note);

/* Tells that an async-signal-unsafe function was entered in a handler. */
void call_unsafe(const char *function, void *frame);
#define UNSAFE_IN_HANDLER(name) call_unsafe(#name, __builtin_frame_address(0))

/* Is a handler running that interrupted its thread at any moment? */
bool in_async_handler(void *frame);

/* Waits for a debugger, where one was asked for at `point`. */
void wait_for_debugger(uint32_t point);

/* Moves the trace on and wakes who waits on it. */
void trace_advance(void);

/* ruling.c: holds the call at its gates, and rules on it. */
void ruling_on(struct call *c, enum call_id id, int64_t len, int circumstance);

/* Holds the caller at the gate of that fault of the plan. */
void ruling_hold(int fault);

/* Hands the calls to libfiu. `control`: a FIFO's name for libfiu's tools,
 * to which the process's number is added; NULL: none. */
void ruling_setup(const char *control);

/* Do libfiu's tools have a say in this process? */
bool ruling_is_remote(void);

/* fd.c: which connection a descriptor belongs to. */
int fd_conn(int fd); /* 0: none */

void fd_is(int fd, int conn);
void fd_forget(int fd);
void fd_copy(int from, int to);
enum { FD_EDGE = 1 };
unsigned fd_flags(int fd);
int fd_timeout_ms(int fd, int option); /* SO_RCVTIMEO, SO_SNDTIMEO; 0: none */
void fd_flag(int fd, unsigned flags);

/* Bytes that the program has seen to be there, and has not read: recv(2),
 * MSG_PEEK; tcp(7), SIOCINQ. */
int fd_seen(int fd);
void fd_sees(int fd, int64_t bytes);

/* fstat(2), even where the submission has a function of that name. */
int fd_stat(int fd, struct stat *file);

/* signal.c: a signal that could interrupt a call here and now, without doing
 * more than running its handler; 0: none. `restarts`: the call is restarted
 * after a handler with SA_RESTART. `mask` is what the thread blocks; NULL:
 * the call brings a mask of its own. */
int signal_that_interrupts(bool restarts, const sigset_t *mask);

/* process.c, thread.c: ordinals for a new process and a new thread. */
void self_is_process(uint16_t process);
void self_is_thread(uint16_t thread);

/* What the harness holds a new thread with: runs `start`. */
void process_adopt(uint16_t process);

/* setup.c: where the submission's code lies. */
void setup_note_text(void);

/* rehearsal.c: under valgrind, calls what cases will call. */
void rehearse(void);

/* fork_server.c */
int fork_server(int control, int argc, char **argv, int *case_argc,
                char ***case_argv);
extern int fork_server_control; /* -1: there is none */

#endif
