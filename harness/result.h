/* result.h - what came of grading: filled by run.c, added up by result.c,
 * read by the reports. */
#ifndef FAULTLINE_RESULT_H
#define FAULTLINE_RESULT_H

#include "program.h"
#include "step.h"
#include "submission.h"

#define RESULT_CASES 96
#define RESULT_STEPS 16

struct step_result {
    const struct step *step;
    bool chosen;      /* graded in this run */
    bool done;        /* all its cases are played */
    bool not_started; /* the stub as it was handed out */
    bool hides_calls; /* behind stdio on a socket */
    char note[256];   /* why the step as a whole was not played; "": it was */
    struct program_build build;
    struct verdict verdict[RESULT_CASES];
    unsigned played; /* cases so far: for the progress line */
    double duration_ms;
};

struct result {
    const char *isolation;
    const char *submission;
    const char *told_as; /* the same as its owner calls it */
    struct step_result *step;
    size_t count;
};

/* The points of a case: all or nothing; a sweep's in proportion to what was
 * survived, rounded down to quarters, nothing for less than half. */
double case_score(const struct step_case *row, const struct verdict *verdict);

/* Why the rule exists, and a hint: those of what failed, or the row's. */
const char *case_why(const struct step_case *row,
                     const struct verdict *verdict);
const char *case_hint(const struct step_case *row,
                      const struct verdict *verdict);

/* What there is to say of the step that costs nothing; "": nothing. */
const char *step_remark(const struct step_result *step);

/* The points of a step; of all; and whether every case could be judged. */
double step_score(const struct step_result *step);
double result_score(const struct result *result);
double result_max(const struct result *result);
bool result_graded(const struct result *result);

/* Was this case asked for and played (or skipped)? */
bool case_counts(const struct step_result *step, size_t index);

/* Plays one step, inside a sandbox: builds the submission and runs its cases
 * as cmocka tests. `pattern` chooses cases by fnmatch(3); NULL: all. Fills in
 * *result, which must lie in shared memory where a child does it. Returns 0,
 * or -1 where the kit itself failed. */
struct run_options {
    const struct submission *submission;
    const struct kit_file *interposer, *suppressions; /* valgrind's */
    const char *pattern;
    int story[2]; /* descriptors that get the story of the case that is played
                   * last, as text and as JSON; -1: none wanted */
    int story_width;       /* columns that the text may have */
    bool without_valgrind; /* as if the cases that need it were not there */
    bool only_valgrind;    /* as if only they were there */
    bool first_failure;    /* what comes behind it is skipped */
};

/* A file of the kit's that goes into the sandbox. */
struct kit_file {
    char *data;
    size_t len;
};
int run_step(struct step_result *result, const struct run_options *options);

#endif
