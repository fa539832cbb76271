/* gradescope.c - Gradescope's results.json, as of
 * gradescope-autograders.readthedocs.io/en/latest/specs. Gradescope hides what
 * is to be hidden by itself, and adds the points up. */
#define _GNU_SOURCE
#include "format.h"

#include <math.h>

static json_t *one_test(const struct view *view, const struct view_step *step,
                        size_t index)
{
    const struct view_case *one = &step->first[index];
    char number[32], name[256];

    snprintf(number, sizeof(number), "%zu.%zu", (size_t)(step - view->step) + 1,
             index + 1);
    snprintf(name, sizeof(name), "%s: %s", one->step, one->name);
    return json_pack(
        "{s:s, s:s, s:s, s:o, s:o, s:s, s:s, s:s, s:s, s:[s]}", "name", name,
        "number", number, "name_format", "text", "score",
        format_points(one->score), "max_score", format_points(one->max_score),
        "status", one->status == VERDICT_PASS ? "passed" : "failed", "output",
        one->detail, "output_format", "text", "visibility", one->visibility,
        "tags", *one->obligation ? one->obligation : "other");
}

/* No total: it would tell of hidden cases, and Gradescope has its own. */
static json_t *results(const struct view *view, json_t *tests)
{
    char output[256];

    snprintf(output, sizeof(output), "Graded by Faultline %s (isolation: %s).",
             view->version, view->isolation);
    return json_pack("{s:s, s:s, s:s, s:i, s:o}", "output", output,
                     "output_format", "text", "stdout_visibility", "hidden",
                     "execution_time", (int)ceil(view->seconds), "tests",
                     tests);
}

static int gradescope(FILE *out, const struct view *view)
{
    json_t *tests = json_array();

    for (size_t i = 0; i < view->steps; i++)
        for (size_t c = 0; c < view->step[i].count; c++)
            if (json_array_append_new(tests,
                                      one_test(view, &view->step[i], c)) < 0) {
                json_decref(tests);
                return -1;
            }
    return format_json(out, results(view, tests), JSON_INDENT(2));
}

static const struct format format_gradescope = {.name = "gradescope",
                                                .file = "gradescope.json",
                                                .complete = true,
                                                .only_graded = true,
                                                .write = gradescope};
FORMAT(gradescope);
