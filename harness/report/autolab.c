/* autolab.c - the last two lines that Autolab wants on stdout: its formatted
 * feedback, and the autoresult with a score for each problem. A problem is a
 * step; the lab must have problems of these names.
 *
 * Autolab puts quotes around each `word:` of the last line before it parses it
 * as JSON: names on that line have no colon. */
#define _GNU_SOURCE
#include "format.h"

static json_t *stage(const struct view_step *step)
{
    json_t *tests = json_object();

    for (size_t i = 0; i < step->count; i++) {
        const struct view_case *one = &step->first[i];
        bool passed = one->status == VERDICT_PASS;

        json_object_set_new(
            tests, one->name,
            passed ? json_pack("{s:b}", "passed", 1)
                   : json_pack("{s:b, s:s}", "passed", 0, "hint", one->detail));
    }
    return tests;
}

static json_t *feedback(const struct view *view)
{
    json_t *all = json_object(), *stages = json_array();

    json_object_set_new(all, "_presentation", json_string("semantic"));
    json_object_set_new(all, "stages", stages);
    for (size_t i = 0; i < view->steps; i++) {
        json_array_append_new(stages, json_string(view->step[i].name));
        json_object_set_new(all, view->step[i].name, stage(&view->step[i]));
    }
    return all;
}

static json_t *autoresult(const struct view *view)
{
    json_t *scores = json_object();

    for (size_t i = 0; i < view->steps; i++)
        json_object_set_new(scores, view->step[i].name,
                            format_points(view->step[i].score));
    return json_pack("{s:o, s:[o]}", "scores", scores, "scoreboard",
                     format_points(view->score));
}

static int autolab(FILE *out, const struct view *view)
{
    if (format_json(out, feedback(view), JSON_COMPACT) < 0)
        return -1;
    return format_json(out, autoresult(view), JSON_COMPACT);
}

static const struct format format_autolab = {.name = "autolab",
                                             .file = "autolab.txt",
                                             .only_graded = true,
                                             .write = autolab};
FORMAT(autolab);
