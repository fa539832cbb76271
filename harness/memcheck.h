/* memcheck.h - valgrind watches the program while a case is played.
 *
 * The program is executed once under valgrind (memcheck or helgrind) and
 * forked for each case, as it is without: starting valgrind costs most of
 * its time. Each process writes a report of its own when it ends.
 *
 * Must not know: what a case expects, how many points it has.
 */
#ifndef FAULTLINE_MEMCHECK_H
#define FAULTLINE_MEMCHECK_H

#include "findings.h"
#include "program.h"
#include "step.h"

#include <limits.h>

struct memcheck {
    char folder[PATH_MAX]; /* where the reports go; "": not open */
    char binary[PATH_MAX];
    char trouble[160]; /* why it cannot be used: the machine's trouble */
};

/* Executes the program `path` under the tool, up to before its main().
 * Returns 0, or -1 with memcheck->trouble: no valgrind, too old, no memory.
 * Reports go to a folder of their own beside `path`. */
int memcheck_open(struct memcheck *memcheck, enum step_tool tool,
                  struct program *program, const char *path,
                  const char *interposer);

/* Ends the program's run (SIGTERM first, so that valgrind can look for what
 * it lost) and gathers what was found. `settled`: the play left no
 * connection open, so what nobody holds is lost. Returns 0, or -1
 * with memcheck->trouble. Ends with findings_release(). */
int memcheck_collect(struct memcheck *memcheck, struct program *program,
                     bool settled, struct findings *findings);

/* Ends the program and removes the reports. */
void memcheck_close(struct memcheck *memcheck, struct program *program);

/* The verdict by what was found against that rule: pass or fail. */
void memcheck_judge(const struct findings *findings, enum obligation obligation,
                    struct verdict *verdict);

#endif
