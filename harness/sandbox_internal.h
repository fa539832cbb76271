/* sandbox_internal.h - what the files of the sandbox share. */
#ifndef FAULTLINE_SANDBOX_INTERNAL_H
#define FAULTLINE_SANDBOX_INTERNAL_H

#include "sandbox.h"

#include <limits.h>
#include <linux/filter.h>

/* The sandbox that this process runs, or runs in. */
struct sandbox {
    bool active;
    enum sandbox_kind kind;
    uid_t uid; /* the submission's */
    gid_t gid;
    pid_t worker; /* who plays, and may end all */
    char kit[PATH_MAX];
    char scratch[PATH_MAX];
    struct sock_fprog filter; /* seccomp's; len 0: none */
    char *trouble;            /* shared with the one who asked */
};
extern struct sandbox sandbox;

#define SANDBOX_HIDDEN 8
extern char sandbox_hidden[SANDBOX_HIDDEN][PATH_MAX];

/* Notes what cannot be had, with errno's words. Returns -1. */
int sandbox_in_trouble(const char *what);

/* In new namespaces: a root with nothing in it but the system's read-only
 * folders, devices, /proc, the kit's folder and the scratch. Returns 0 or -1,
 * in trouble. */
int sandbox_raise_walls(void);

/* Brings the loopback of a new network up. Returns 0, or -1 with errno. */
int sandbox_raise_loopback(void);

/* Makes the filter of system calls. Returns 0, or -1 in trouble. */
int sandbox_make_filter(void);

/* Is there landlock(7)? And: from now on this process reads the system's
 * folders and the kit's, and writes into the scratch; nothing else. */
bool sandbox_has_landlock(void);
int sandbox_landlock(void);

/* Behind walls the kit's folder is read-only; and, for a moment, is not.
 * Returns 0, or -1 with errno. */
int sandbox_lock_kit(bool locked);

/* The kit's folder and the scratch, where there are no walls. Returns 0, or -1
 * in trouble. They are removed with all that is in them; and what the
 * submission's user left elsewhere. */
int sandbox_make_folders(void);
void sandbox_remove_folders(void);
void sandbox_remove_strays(void);

/* Waits for a child. Returns its exit status, 128 + N where signal N ended it,
 * or -1 with errno. */
int sandbox_await(pid_t pid);

/* Ends every process below us; every one of the submission's user. */
void sandbox_end_below(void);
void sandbox_end_user(void);

/* Users that own no process, from a range that nobody is given by hand, held
 * until they are released. Returns 0, or -1 in trouble. */
int sandbox_pick_users(uid_t *user, int count);
void sandbox_release_users(void);
bool sandbox_owns_processes(uid_t user);

#endif
