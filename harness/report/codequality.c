/* codequality.c - GitLab's code quality report: the failures that have a line
 * of the program. */
#define _GNU_SOURCE
#include "format.h"

#include <string.h>

static const char *severity(const struct view_case *one)
{
    if (strcmp(one->obligation, "build") == 0)
        return "blocker";
    return one->score > 0 ? "minor" : "major";
}

/* The fingerprint is how GitLab knows a failure again in the next commit,
 * when its line has moved: what failed, not where. */
static json_t *one_issue(const struct view_case *one)
{
    char name[256];

    snprintf(name, sizeof(name), "%s/%s", one->step, one->name);
    return json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:{s:i}}}", "description",
                     *one->message ? one->message : name, "check_name", name,
                     "fingerprint", name, "severity", severity(one), "location",
                     "path", one->path, "lines", "begin",
                     one->line > 0 ? one->line : 1);
}

static int codequality(FILE *out, const struct view *view)
{
    json_t *issues = json_array();

    for (size_t i = 0; i < view->cases; i++)
        if (view->all[i].status == VERDICT_FAIL && *view->all[i].path)
            json_array_append_new(issues, one_issue(&view->all[i]));
    return format_json(out, issues, JSON_INDENT(2));
}

static const struct format format_codequality = {
    .name = "codequality",
    .file = "gl-code-quality-report.json",
    .write = codequality};
FORMAT(codequality);
