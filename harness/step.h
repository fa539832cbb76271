/* step.h - a step as a table of cases. Points, docs and `grade --list` come
 * from the table. */
#ifndef FAULTLINE_STEP_H
#define FAULTLINE_STEP_H

#include "verdict.h"

#include <stddef.h>

struct play;

/* What else watches the program while the case is played. Then the verdict is
 * what it found against the row's obligation (memory, leak, descriptors or
 * race), and the play only sets the scene. */
enum step_tool { TOOL_NONE, TOOL_MEMCHECK, TOOL_HELGRIND };

/* From when on students see how a case came out (course.h). */
enum visibility { VISIBLE, HIDDEN, AFTER_DUE_DATE, AFTER_PUBLISHED };

/* One case: a claim about the program, and the play that tries it. */
struct step_case {
    const char *name; /* the claim: reaps_children_that_end_together */
    enum obligation obligation; /* whose rule */
    double points;              /* in quarters */
    const char *why;            /* why the rule exists: one sentence */
    const char *hint;           /* helps, without being the answer */
    const char *faults;         /* the plan, as of fault.h; NULL: none */
    void (*play)(struct play *play);
    const char *needs; /* an earlier case of the table: where that one
                        * did not pass, this one is skipped; NULL: none */
    enum step_tool tool;
    enum visibility visibility; /* as a course's file has it */
};

/* What a step's programs owe beyond what every program owes, when each of
 * their calls is made to fail in turn (sweep.h). */
struct sweep_rules {
    bool leaves_no_zombies; /* from step 4 on */
    bool survives_sigpipe;  /* the client, and from step 5 on: EPIPE, too */
    /* Called at the end of each run; `broken` connections have failed in a
     * read or a write. NULL: nothing more is owed. */
    void (*owes)(struct play *play, unsigned broken);
    /* What the clients do (schedule.h), in place of the sweep's scene; NULL:
     * that one. */
    const char *schedule;
    /* Under valgrind, fail each call in turn, not one a place of the code. */
    bool every_call;
};

struct step {
    const char *name;
    const char *source; /* "forked.c" */
    double points;      /* the sum of its cases' */
    const char *intent; /* one line, for --list */
    bool is_client;     /* takes HOST PORT; else a server: PORT */
    const struct step_case *cases;
    size_t count;
    struct sweep_rules sweep;
};

/* Registers a step: the linker gathers them in the order of their files. */
#define STEP(id)                                                               \
    static const struct step *const step_##id##_entry                          \
        __attribute__((used, section("faultline_steps"))) = &step_##id

extern const struct step *const __start_faultline_steps[];
extern const struct step *const __stop_faultline_steps[];
#define STEPS_EACH(at)                                                         \
    const struct step *const *at = __start_faultline_steps;                    \
    at != __stop_faultline_steps;                                              \
    at++

/* The step of that name, or NULL; and the names of all, with blanks. */
const struct step *step_by_name(const char *name);
const char *step_names(void);

#define STEP_COUNT(table) (sizeof(table) / sizeof((table)[0]))

#endif
