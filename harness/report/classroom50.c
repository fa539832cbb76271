/* classroom50.c - Classroom 50's result.json, schema classroom50/result/v1.
 *
 * Scores are integers there, and points come in quarters here: they are told
 * in quarter points, so that 400 is full marks where 100 points are. What the
 * schema wants to know of the submission, the runner says in the environment;
 * outside of it the file says "local", which the runner refuses. */
#define _GNU_SOURCE
#include "format.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

#define PER_POINT 4

static json_int_t quarters(double points)
{
    return (json_int_t)floor(points * PER_POINT);
}

static json_t *said(const char *variable, const char *otherwise)
{
    const char *value = getenv(variable);
    char *clean = value && *value ? view_harmless(value) : NULL;
    json_t *string = json_string(clean ? clean : otherwise);

    free(clean);
    return string ? string : json_string(otherwise);
}

static json_t *one_test(const struct view_case *one)
{
    char name[256];

    snprintf(name, sizeof(name), "%s/%s", one->step, one->name);
    return json_pack("{s:s, s:b, s:I, s:I, s:s}", "test-name", name, "passed",
                     one->status == VERDICT_PASS, "score", quarters(one->score),
                     "max-score", quarters(one->max_score), "message",
                     one->detail);
}

static int classroom50(FILE *out, const struct view *view)
{
    json_t *tests = json_array();
    json_int_t score = 0, max = 0;
    time_t now = time(NULL);
    char when[32];

    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    for (size_t i = 0; i < view->cases; i++) {
        score += quarters(view->all[i].score);
        max += quarters(view->all[i].max_score);
        if (json_array_append_new(tests, one_test(&view->all[i])) < 0) {
            json_decref(tests);
            return -1;
        }
    }
    return format_json(
        out,
        json_pack(
            "{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:I, s:I, s:o}", "schema",
            "classroom50/result/v1", "classroom", said("CLASSROOM", "local"),
            "assignment", said("ASSIGNMENT", "local"), "submission",
            said("SUBMISSION_TAG", "submit/local"), "commit",
            said("COMMIT_URL", "local"), "release",
            said("RELEASE_URL", "local"), "review",
            said(getenv("REVIEW_URL") ? "REVIEW_URL" : "COMMIT_URL", "local"),
            "datetime", when, "score", score, "max-score", max, "tests", tests),
        JSON_INDENT(2));
}

static const struct format format_classroom50 = {.name = "classroom50",
                                                 .file = "classroom50.json",
                                                 .only_graded = true,
                                                 .write = classroom50};
FORMAT(classroom50);
