/* run_internal.h - what the files that play a step share. */
#ifndef FAULTLINE_RUN_INTERNAL_H
#define FAULTLINE_RUN_INTERNAL_H

#include "memcheck.h"
#include "play_internal.h"
#include "result.h"

#include <limits.h>

/* The step that this process plays: cmocka hands a test one pointer, the rest
 * is here. */
struct run {
    struct step_result *result;
    const struct run_options *options;
    struct program program;
    struct play *play;
    char binary[PATH_MAX]; /* and the library, where the sandbox has them */
    char interposer[PATH_MAX];
    char checked[PATH_MAX]; /* the binary for valgrind */
    uint16_t next_port;
    uint64_t begun_ns;
    bool went_around; /* libc, in one of the plays */

    /* Under valgrind: what one play found is judged by several rows. */
    enum step_tool tool; /* that `program` runs under */
    struct memcheck memcheck;
    const struct step_case *watched; /* the row that was played last */
    char watched_until[512]; /* what ended the play early; "": nothing */
    struct findings findings;
};
extern struct run run;

/* One verdict for the table's first row, the others skipped: a step that
 * cannot be played is told once. */
void run_settle(enum verdict_status first, const char *words);

/* The same for a failure whose reason is not the row's own. Literals. */
void run_refuse(const char *words, const char *why, const char *hint);
void run_refuse_around(const char *words); /* what cannot be observed */

/* The verdict where the machine or the kit is in trouble. */
void run_not_graded(struct verdict *verdict, const char *reason);

/* Builds the submission inside the sandbox. Returns whether there is a program
 * to play with; where there is none, the step is settled. */
bool run_build(void);

/* The program's file, as the tool that it runs under has it. */
const char *run_binary(void);

/* Has the program run under that tool. Returns 0, or -1: see memcheck.h. */
int run_use_tool(enum step_tool tool);

/* Was this row's play watched for the row before it? */
bool run_is_watched(const struct step_case *row);

/* The verdict of a row of valgrind's, behind its play. */
void run_judge_watched(const struct step_case *row, struct verdict *verdict);

#endif
