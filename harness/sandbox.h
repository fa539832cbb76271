/* sandbox.h - what the program under test may touch.
 *
 * The strongest isolation that the machine allows is taken, and named in the
 * report. A submission sees its own binary, a scratch folder, the system's
 * libraries and the loopback; not the kit, the solutions, the report or other
 * submissions. Must not know: steps, cases.
 */
#ifndef FAULTLINE_SANDBOX_H
#define FAULTLINE_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

enum sandbox_kind {
    SANDBOX_NAMESPACES, /* own users, processes, network, mounts, ipc, names */
    SANDBOX_UID,        /* root without namespaces: a user of its own */
    SANDBOX_PLAIN,      /* the caller's user: process group, subreaper */
    SANDBOX_KINDS,
};
const char *sandbox_name(enum sandbox_kind kind);

/* Does it work here? And the strongest that does; each tried in a child. */
bool sandbox_works(enum sandbox_kind kind);
enum sandbox_kind sandbox_best(void);

/* Runs `work(arg)` in a child inside the sandbox, and ends whatever it left
 * behind, processes and files. Returns the child's exit status, 128 + N where
 * signal N ended it, or -1 where the sandbox cannot be had: then
 * sandbox_trouble() says what failed. */
int sandbox_run(enum sandbox_kind kind, int (*work)(void *arg), void *arg);
const char *sandbox_trouble(void);

/* What the sandbox does not cover here, in a few words; "": nothing. */
const char *sandbox_gaps(enum sandbox_kind kind);

/* A path inside a sandbox must not show what lies there outside: the folder
 * is hidden, where it would be seen at all. Called before sandbox_run(). */
void sandbox_hide(const char *folder);

/* ---- Called by `work` ---- */

/* Two folders: the submission may write into the scratch, and only read what
 * is in the kit's. Inside `work` only. */
const char *sandbox_scratch(void);
const char *sandbox_kit(void);

/* Writes a file into the kit's folder, readable by the submission. `path`
 * gets its name. Returns 0, or -1 with errno. */
int sandbox_install(const char *name, const void *data, size_t len, mode_t mode,
                    char *path, size_t size);

/* From here on valgrind starts faster, where the walls allow it: of libc's
 * debug information it finds no more than the names. */
void sandbox_keep_names(void);

/* What a process may use; 0: no limit of ours. */
struct sandbox_limits {
    unsigned cpu_s;        /* then SIGXCPU */
    unsigned cpu_most_s;   /* then SIGKILL; 0: soon after */
    uint64_t memory_bytes; /* address space: not for valgrind */
    uint64_t file_bytes;   /* each file */
    unsigned processes;    /* and threads, of the whole sandbox */
};

/* In a child that is about to execute something of the submission's: gives up
 * all privileges for good, and is bound by the limits. Ends the child with
 * status 126 where that cannot be. Outside a sandbox only the limits. */
void sandbox_confine(const struct sandbox_limits *limits);

/* How many live processes the submission has, or a bit more: counted faster
 * than by a census. -1 where that cannot be told. */
int sandbox_live(void);

/* Ends every process of the submission's at once, its fork server too.
 * Returns false where there is no such means; and in a child of `work`,
 * whose siblings run the submission, too. */
bool sandbox_end_all(void);

/* prlimit(2) for a process of the submission's. */
int sandbox_prlimit(pid_t pid, int resource, const struct rlimit *now,
                    struct rlimit *old);

/* A port that is free now: outside the ephemeral range, and a taken one is
 * passed over. `*next` is where to look first; it moves on. 0: none. */
uint16_t sandbox_port(uint16_t *next);

#endif
