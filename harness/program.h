/* program.h - the program under test: build it, start it, end it.
 *
 * Must not know: peers, cases, what the program is for.
 */
#ifndef FAULTLINE_PROGRAM_H
#define FAULTLINE_PROGRAM_H

#include "trace.h"

#include <stdbool.h>
#include <sys/types.h>

#define PROGRAM_MESSAGES 4096

#define PROGRAM_PROCESSES 640 /* and threads, of one step at a time */

/* What came of a build. */
struct program_build {
    bool built;
    bool missing;    /* there is no STEP.c */
    char around[64]; /* what it calls that nobody observes; "": nothing */
    char file[256];
    int line;                        /* of the first error; 0: unknown */
    char messages[PROGRAM_MESSAGES]; /* the compiler's, from the first */
};

/* Compiles `step`.c of the folder `submission`, and links net.c where the
 * folder has one and the program needs it, to `output`. Returns 0 with
 * *build filled in (built or not), or -1 with errno where the machine could
 * not do it: no compiler, no disk. */
int program_build(struct program_build *build, const char *submission,
                  const char *step, const char *output);

/* Compiles what was built once more, for valgrind: an index beyond an array is
 * told to the interposer, `library`, which does what is atomic, too (with gcc);
 * this program cannot run without it. Returns 0, or -1. */
int program_build_checked(const char *submission, const char *step,
                          const char *library, const char *output);

/* What a play needs of RLIMIT_NOFILE, getrlimit(2), and how many descriptors a
 * program gets. */
#define PROGRAM_FILES 1024

/* Raises the caller's own RLIMIT_NOFILE to that. Returns NULL, or what to tell
 * the user: the hard limit is lower, and may not be raised. */
const char *program_raise_files(void);

/* The program, executed once and forked for each run. */
struct program {
    struct trace *trace;
    pid_t server; /* the fork server; 0: not started */
    int control;
    pid_t pid;    /* of the run; 0: none yet */
    bool running; /* its first process has not ended */
    int status;   /* how it ended, as of waitpid(2) */
    int output;   /* read ends of its stdout and stderr */
    int errors;
    int input;         /* write end of its stdin, or -1: /dev/null */
    unsigned ready_ms; /* how long a start may take */
    unsigned slowness; /* what its deadlines are multiplied with: 1, or more
                        * where another program runs it */
};

/* How to start it. */
struct program_start {
    const char *const *argv; /* argv[0] too; NULL at the end */
    unsigned descriptors;    /* RLIMIT_NOFILE */
    unsigned taken[2];       /* descriptors that it inherits, from the first
                              * to below the second */
    int input;               /* stdin and stdout, or -1: /dev/null and ... */
    int output;              /* ... a pipe of our own */
    bool input_pipe;         /* stdin is a pipe that we write */
};

/* Executes `path` up to before its main(). `interposer` is the library to
 * load into it. Returns 0; or -1 with errno: ENOEXEC where the program did
 * not take the interposer in. */
int program_open(struct program *program, const char *path,
                 const char *interposer);

/* The same, run by the command `tool` (NULL at the end; NULL: by none), to
 * which the program's path is added: valgrind and its options. */
int program_open_under(struct program *program, const char *const *tool,
                       const char *path, const char *interposer);

/* Ends it and what is left of it: `status` is then the fork server's. */
void program_close(struct program *program);

/* Starts a run. The trace must be set up before. Returns 0, or -1 with
 * errno: ETIME where the fork server did not answer; it is ended then, and
 * the program has to be opened anew. */
int program_run(struct program *program, const struct program_start *start);

/* Is the fork server still there? A program may have killed it. */
bool program_is_open(const struct program *program);

/* Has the first process of the run ended? Then its status is in place. */
bool program_ended(struct program *program);

/* Its first process is gone, and the fork server has not said so: it may, now.
 * A program may have stopped it. */
void program_hurry(const struct program *program);

/* Sends a signal to every process of the run. Returns how many there are,
 * zombies aside. */
size_t program_signal(struct program *program, int signal);

/* Ends the run with SIGKILL, every process of it, and waits until none is
 * left. */
void program_kill(struct program *program);

/* What the signal of a limit means, as a continuation: ": it used ...". "" of
 * any other signal. */
const char *program_limit_text(int signal);

/* A status of waitpid(2) in words: "exited with 1", "was killed by SIGPIPE".
 * Returns `text`. */
char *program_status_text(int status, char *text, size_t size);

#endif
