/* calls.h - the calls that the interposer knows, as one table.
 *
 * A row is: name, family, the point that libfiu knows it by. A fault plan
 * that names a family (`read`, `write`, `accept`, `wait`, `poll`, `fork`)
 * means every call of it, so that the same plan fits a program that says
 * recv() and one that says readv(). Point names follow libfiu's own scheme.
 *
 * Must not know: what a failure is (fault.h), who records it (trace.h).
 */
#ifndef FAULTLINE_CALLS_H
#define FAULTLINE_CALLS_H

/* clang-format off */
#define CALLS(X) \
    X(socket,          SOCKET,      "posix/io/net/socket")      \
    X(bind,            BIND,        "posix/io/net/bind")        \
    X(listen,          LISTEN,      "posix/io/net/listen")      \
    X(accept,          ACCEPT,      "posix/io/net/accept")      \
    X(accept4,         ACCEPT,      "posix/io/net/accept4")     \
    X(connect,         CONNECT,     "posix/io/net/connect")     \
    X(shutdown,        SHUTDOWN,    "posix/io/net/shutdown")    \
    X(setsockopt,      SETSOCKOPT,  "posix/io/net/setsockopt")  \
    X(close,           CLOSE,       "posix/io/oc/close")        \
    X(fcntl,           FCNTL,       "posix/io/oc/fcntl")        \
    X(dup,             DUP,         "posix/io/oc/dup")          \
    X(dup2,            DUP,         "posix/io/oc/dup2")         \
    X(read,            READ,        "posix/io/rw/read")         \
    X(recv,            READ,        "posix/io/net/recv")        \
    X(recvfrom,        READ,        "posix/io/net/recvfrom")    \
    X(recvmsg,         READ,        "posix/io/net/recvmsg")     \
    X(readv,           READ,        "posix/io/rw/readv")        \
    X(write,           WRITE,       "posix/io/rw/write")        \
    X(send,            WRITE,       "posix/io/net/send")        \
    X(sendto,          WRITE,       "posix/io/net/sendto")      \
    X(sendmsg,         WRITE,       "posix/io/net/sendmsg")     \
    X(writev,          WRITE,       "posix/io/rw/writev")       \
    X(sendfile,        WRITE,       "posix/io/rw/sendfile")     \
    X(splice,          SPLICE,      "posix/io/rw/splice")       \
    X(dprintf,         WRITE,       "posix/stdio/dprintf")      \
    X(fdopen,          FDOPEN,      "posix/stdio/fdopen")       \
    X(select,          POLL,        "posix/io/net/select")      \
    X(pselect,         POLL,        "posix/io/net/pselect")     \
    X(poll,            POLL,        "posix/io/net/poll")        \
    X(ppoll,           POLL,        "posix/io/net/ppoll")       \
    X(epoll_create1,   EPOLL,       "linux/io/epoll/create1")   \
    X(epoll_ctl,       EPOLL_CTL,   "linux/io/epoll/ctl")       \
    X(epoll_wait,      POLL,        "linux/io/epoll/wait")      \
    X(epoll_pwait,     POLL,        "linux/io/epoll/pwait")     \
    X(epoll_pwait2,    POLL,        "linux/io/epoll/pwait2")    \
    X(fork,            FORK,        "posix/proc/fork")          \
    X(vfork,           FORK,        "posix/proc/vfork")         \
    X(wait,            WAIT,        "posix/proc/wait")          \
    X(wait3,           WAIT,        "posix/proc/wait3")         \
    X(wait4,           WAIT,        "posix/proc/wait4")         \
    X(waitpid,         WAIT,        "posix/proc/waitpid")       \
    X(waitid,          WAIT,        "posix/proc/waitid")        \
    X(_exit,           EXIT,        "posix/proc/_exit")         \
    X(exit,            EXIT,        "posix/proc/exit")          \
    X(execve,          EXECVE,      "posix/proc/execve")        \
    X(signal,          SIGNAL,      "posix/proc/signal")        \
    X(sigaction,       SIGNAL,      "posix/proc/sigaction")     \
    X(sigprocmask,     SIGMASK,     "posix/proc/sigprocmask")   \
    X(pthread_sigmask, SIGMASK,     "posix/thread/sigmask")     \
    X(kill,            KILL,        "posix/proc/kill")          \
    X(pthread_create,  PTHREAD_CREATE, "posix/thread/create")   \
    X(pthread_detach,  PTHREAD_DETACH, "posix/thread/detach")   \
    X(pthread_join,    PTHREAD_JOIN,   "posix/thread/join")     \
    X(thrd_create,     PTHREAD_CREATE, "libc/thread/create")    \
    X(thrd_detach,     PTHREAD_DETACH, "libc/thread/detach")    \
    X(thrd_join,       PTHREAD_JOIN,   "libc/thread/join")      \
    X(thread_start,    THREAD_START,   "faultline/thread/start") \
    X(getaddrinfo,     GETADDRINFO, "posix/io/net/getaddrinfo") \
    X(freeaddrinfo,    FREEADDRINFO, "posix/io/net/freeaddrinfo") \
    X(malloc,          MALLOC,      "libc/mm/malloc")           \
    X(calloc,          MALLOC,      "libc/mm/calloc")           \
    X(realloc,         MALLOC,      "libc/mm/realloc")          \
    X(sleep,           PAUSE,       "posix/time/sleep")         \
    X(usleep,          PAUSE,       "posix/time/usleep")        \
    X(nanosleep,       PAUSE,       "posix/time/nanosleep")     \
    X(clock_nanosleep, PAUSE,       "posix/time/clock_nanosleep") \
    X(thrd_sleep,      PAUSE,       "libc/thread/sleep")        \
    X(alarm,           TIMER,       "posix/time/alarm")         \
    X(setitimer,       TIMER,       "posix/time/setitimer")     \
    X(print,           PRINT,       "faultline/stdio/print")    \
    X(unsafe,          UNSAFE,      "faultline/handler/unsafe")

#define FAMILIES(X) \
    X(SOCKET) X(BIND) X(LISTEN) X(ACCEPT) X(CONNECT) X(SHUTDOWN)      \
    X(SETSOCKOPT) X(CLOSE) X(FCNTL) X(DUP) X(READ) X(WRITE) X(SPLICE) \
    X(FDOPEN) X(POLL) X(EPOLL) X(EPOLL_CTL) X(FORK) X(WAIT) X(EXIT)   \
    X(EXECVE) X(SIGNAL) X(SIGMASK) X(KILL) X(PTHREAD_CREATE)          \
    X(PTHREAD_DETACH) X(PTHREAD_JOIN) X(THREAD_START) X(GETADDRINFO)  \
    X(FREEADDRINFO) X(MALLOC) X(PAUSE) X(TIMER) X(PRINT) X(UNSAFE)
/* clang-format on */

#define CALL_ENUM(name, family, point) CALL_##name,
enum call_id { CALL_none, CALLS(CALL_ENUM) CALL_COUNT };
#undef CALL_ENUM

#define FAMILY_ENUM(name) FAMILY_##name,
enum call_family { FAMILY_NONE, FAMILIES(FAMILY_ENUM) FAMILY_COUNT };
#undef FAMILY_ENUM

/* What the table says of a call; never NULL for an id below CALL_COUNT. */
const char *call_name(enum call_id id);
const char *call_point(enum call_id id);
enum call_family call_family(enum call_id id);

/* The call of that name, or CALL_none. */
enum call_id call_by_name(const char *name);

#endif
