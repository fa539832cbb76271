/* tap.c - TAP 14 (testanything.org): a test point a case, and below each that
 * did not pass its YAML block. A JSON string is a YAML string. */
#define _GNU_SOURCE
#include "format.h"

/* TAP 14, Escaping; a line break would end the test point. */
static void description(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '#' || *text == '\\')
            fputc('\\', out);
        fputc(*text == '\n' ? ' ' : *text, out);
    }
}

static int scalar(FILE *out, const char *key, const char *text)
{
    json_t *string = json_string(text);

    if (!string)
        return -1;
    fprintf(out, "  %s: ", key);
    int result = json_dumpf(string, out, JSON_ENCODE_ANY);
    fputc('\n', out);
    json_decref(string);
    return result;
}

static int diagnostics(FILE *out, const struct view_case *one)
{
    int result = 0;

    fputs("  ---\n", out);
    result |= scalar(out, "message", one->message);
    result |= scalar(out, "severity",
                     one->status == VERDICT_FAIL ? "fail" : "not graded");
    result |= scalar(out, "obligation", one->obligation);
    fprintf(out, "  score: %g\n  max_score: %g\n", one->score, one->max_score);
    if (*one->path) {
        fputs("  at:\n", out);
        result |= scalar(out, "  file", one->path);
        fprintf(out, "    line: %d\n", one->line);
    }
    result |= scalar(out, "detail", one->detail);
    fputs("  ...\n", out);
    return result;
}

static int tap(FILE *out, const struct view *view)
{
    int result = 0;

    fprintf(out, "TAP version 14\n1..%zu\n", view->cases);
    for (size_t i = 0; i < view->cases; i++) {
        const struct view_case *one = &view->all[i];

        fprintf(out, "%sok %zu - ", view_is_trouble(one) ? "not " : "", i + 1);
        description(out, one->step);
        fputc('/', out);
        description(out, one->name);
        if (one->status == VERDICT_SKIP) {
            fputs(" # SKIP ", out);
            description(out, one->message);
        }
        fputc('\n', out);
        if (view_is_trouble(one))
            result |= diagnostics(out, one);
    }
    return result;
}

static const struct format format_tap = {
    .name = "tap", .file = "report.tap", .write = tap};
FORMAT(tap);
