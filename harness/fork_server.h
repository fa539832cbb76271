/* fork_server.h - what the harness and the fork server say to each other.
 *
 * The program under test is executed once and stopped before its main();
 * from there it is forked for each case, which costs a third of executing
 * it again. Each message goes over a SOCK_SEQPACKET socket.
 */
#ifndef FAULTLINE_FORK_SERVER_H
#define FAULTLINE_FORK_SERVER_H

#include <stdint.h>
#include <sys/types.h>

#define FORK_SERVER_ARGS  8
#define FORK_SERVER_BYTES 1024

/* "Run": comes with three descriptors (SCM_RIGHTS) for 0, 1 and 2. */
struct fork_server_run {
    uint32_t argc;
    uint32_t descriptors;         /* RLIMIT_NOFILE */
    uint32_t taken[2];            /* descriptors open from the start, from the
                                   * first to below the second */
    char args[FORK_SERVER_BYTES]; /* argv[0..argc), each with its NUL */
};

/* The fork server's answers: at first that it is there (pid is its own),
 * then for each run that it has begun, and how it ended. */
struct fork_server_said {
    enum { FORK_SERVER_READY, FORK_SERVER_BEGAN, FORK_SERVER_ENDED } what;
    pid_t pid;
    int status; /* as of waitpid(2); BEGAN: an errno where fork failed */
};

#endif
