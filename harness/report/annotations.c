/* annotations.c - GitHub's workflow commands: print this file in a step, and
 * the failures stand beside the lines of the student's program. */
#define _GNU_SOURCE
#include "format.h"

#include <string.h>

#define MOST 10 /* GitHub shows no more errors of one step */

/* As @actions/core escapes: the message, and more in a property. */
static void escaped(FILE *out, const char *text, const char *which)
{
    for (; *text; text++)
        if (strchr(which, *text))
            fprintf(out, "%%%02X", (unsigned char)*text);
        else
            fputc(*text, out);
}

static void data(FILE *out, const char *text)
{
    escaped(out, text, "%\r\n");
}

static void property(FILE *out, const char *text)
{
    escaped(out, text, "%\r\n:,");
}

/* What cannot be graded concerns whoever runs the kit, first of all; then
 * what costs most; then the order of the steps. */
static double weight(const struct view_case *one)
{
    if (one->status == VERDICT_ERROR)
        return 1e9;
    return one->cost;
}

static const struct view_case *
heaviest(const struct view *view, const struct view_case *told[], size_t count)
{
    const struct view_case *best = NULL;

    for (size_t i = 0; i < view->cases; i++) {
        const struct view_case *one = &view->all[i];
        bool known = false;

        for (size_t c = 0; c < count; c++)
            known |= told[c] == one;
        if (!known && view_is_trouble(one) &&
            (!best || weight(one) > weight(best)))
            best = one;
    }
    return best;
}

static void annotation(FILE *out, const struct view_case *one)
{
    fputs("::error ", out);
    if (*one->path) {
        fputs("file=", out);
        property(out, one->path);
        fputc(',', out);
    }
    if (one->line > 0)
        fprintf(out, "line=%d,", one->line);
    fputs("title=", out);
    property(out, one->step);
    fputc('/', out);
    property(out, one->name);
    fputs("::", out);
    data(out, one->detail);
    fputc('\n', out);
}

static int annotations(FILE *out, const struct view *view)
{
    const struct view_case *told[MOST];
    size_t trouble = view_count(view, NULL, VERDICT_FAIL) +
                     view_count(view, NULL, VERDICT_ERROR);
    size_t count = 0;

    while (count < MOST && (told[count] = heaviest(view, told, count)))
        annotation(out, told[count++]);
    fprintf(out, "::notice title=Faultline::%g/%g points", view->score,
            view->max_score);
    if (trouble > count)
        fprintf(out, "; %zu more failures are in the summary", trouble - count);
    fputc('\n', out);
    return 0;
}

static const struct format format_annotations = {
    .name = "annotations", .file = "annotations.txt", .write = annotations};
FORMAT(annotations);
