/* result.c - what a case, a step and all of them are worth. */
#include "result.h"

#include <math.h>

double case_score(const struct step_case *row, const struct verdict *verdict)
{
    if (verdict->status == VERDICT_PASS)
        return row->points;
    if (verdict->status != VERDICT_FAIL ||
        verdict->survived * 2 < verdict->injected || verdict->injected == 0)
        return 0;
    return floor(row->points * 4 * verdict->survived / verdict->injected) / 4;
}

const char *case_why(const struct step_case *row, const struct verdict *verdict)
{
    return verdict->why ? verdict->why : row->why;
}

const char *case_hint(const struct step_case *row,
                      const struct verdict *verdict)
{
    return verdict->hint ? verdict->hint : row->hint;
}

const char *step_remark(const struct step_result *step)
{
    return step->hides_calls
               ? "stdio on a socket (fdopen) hides the calls that this "
                 "exercise is about: it is graded as far as they can be seen"
               : "";
}

double step_score(const struct step_result *step)
{
    double sum = 0;

    for (size_t i = 0; i < step->step->count; i++)
        sum += case_score(&step->step->cases[i], &step->verdict[i]);
    return sum;
}

double result_score(const struct result *result)
{
    double sum = 0;

    for (size_t i = 0; i < result->count; i++)
        if (result->step[i].chosen)
            sum += step_score(&result->step[i]);
    return sum;
}

bool case_counts(const struct step_result *step, size_t index)
{
    return step->verdict[index].status != VERDICT_NONE;
}

double result_max(const struct result *result)
{
    double sum = 0;

    for (size_t i = 0; i < result->count; i++)
        for (size_t c = 0;
             result->step[i].chosen && c < result->step[i].step->count; c++)
            if (case_counts(&result->step[i], c))
                sum += result->step[i].step->cases[c].points;
    return sum;
}

bool result_graded(const struct result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        const struct step_result *step = &result->step[i];

        if (step->chosen && !step->done)
            return false;
        for (size_t c = 0; step->chosen && c < step->step->count; c++)
            if (step->verdict[c].status == VERDICT_ERROR)
                return false;
    }
    return true;
}
