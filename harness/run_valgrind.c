/* run_valgrind.c - the rows that valgrind judges: one play is watched, and what
 * was found in it is the verdict of each of them. */
#define _GNU_SOURCE
#include "run_internal.h"
#include "watchdog.h"

#include <stdio.h>
#include <string.h>

const char *run_binary(void)
{
    return run.tool == TOOL_NONE ? run.binary : run.checked;
}

/* One fork server at a time: the other would be taken for a process of the
 * case. */
int run_use_tool(enum step_tool tool)
{
    if (run.tool == tool && program_is_open(&run.program))
        return 0;
    memcheck_close(&run.memcheck, NULL);
    program_close(&run.program);
    run.tool = tool;
    if (tool == TOOL_NONE)
        return program_open(&run.program, run.binary, run.interposer);
    return memcheck_open(&run.memcheck, tool, &run.program, run_binary(),
                         run.interposer);
}

bool run_is_watched(const struct step_case *row)
{
    const struct step_case *last = run.watched;

    return row->tool != TOOL_NONE && last && last->tool == row->tool &&
           last->play == row->play &&
           strcmp(last->faults ? last->faults : "",
                  row->faults ? row->faults : "") == 0;
}

/* The play has set the scene; whether it came to its end or not, what
 * valgrind saw is the verdict. */
void run_judge_watched(const struct step_case *row, struct verdict *verdict)
{
    watchdog_feed(0);
    if (run.play->program) {
        bool whole = verdict->status == VERDICT_PASS;
        /* A server that has died had no time to give anything back. */
        bool died = !run.play->step->is_client && program_ended(&run.program);
        bool settled = whole && !run.play->unsettled && !died;

        run.watched = row;
        snprintf(run.watched_until, sizeof(run.watched_until), "%.500s",
                 whole ? "" : verdict->came);
        findings_release(&run.findings);
        int found = memcheck_collect(&run.memcheck, &run.program, settled,
                                     &run.findings);
        if (found < 0 && run.play->unsettled) {
            snprintf(run.watched_until, sizeof(run.watched_until), "%.500s",
                     run.memcheck.trouble);
        } else if (found < 0) {
            run.watched = NULL;
            run_not_graded(verdict, run.memcheck.trouble);
            return;
        }
    }
    memset(verdict, 0, sizeof(*verdict));
    memcheck_judge(&run.findings, row->obligation, verdict);
    if (verdict->status == VERDICT_PASS && run.watched_until[0]) {
        verdict->status = VERDICT_SKIP;
        snprintf(verdict->came, sizeof(verdict->came),
                 "skipped: watched by valgrind, the program did not come to "
                 "the end of the play: %s",
                 run.watched_until);
    }
}
