/* crew.h - grades the chosen steps, some at a time, each in a child inside the
 * sandbox, and tells each when its turn has come.
 */
#ifndef FAULTLINE_CREW_H
#define FAULTLINE_CREW_H

#include "options.h"
#include "report/report.h"
#include "sandbox.h"

#include <sys/types.h>

struct crew {
    struct result *result;
    const struct options *options;
    enum sandbox_kind kind;
    const struct report_style *style;
    struct kit_file interposer, suppressions;

    /* Its own: */
    pid_t pid[RESULT_STEPS];
    bool over[RESULT_STEPS];
    size_t next; /* step to start */
    size_t told; /* steps reported */
    int running;
};

/* Reads what the walls will hold of the kit; ends the program where it
 * cannot. Before crew_grade(). */
void crew_load_kit(struct crew *crew);

/* Returns when every chosen step is graded, or has said why it is not. */
void crew_grade(struct crew *crew);

#endif
