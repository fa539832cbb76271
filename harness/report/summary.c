/* summary.c - Markdown for $GITHUB_STEP_SUMMARY, a merge request or a mail: a
 * table of the steps, then the failures, folded. What others wrote stands in
 * HTML elements, all its punctuation as character references, which no
 * Markdown reader takes for marks. */
#define _GNU_SOURCE
#include "format.h"

#include <ctype.h>

#define MOST_BYTES (900L * 1024) /* GitHub drops a summary of over 1 MiB */

static void escaped(FILE *out, const char *text)
{
    for (; *text; text++)
        if (ispunct((unsigned char)*text) && *text != '.' && *text != ',')
            fprintf(out, "&#%d;", *text);
        else
            fputc(*text, out);
}

static void one_row(FILE *out, const struct view *view,
                    const struct view_step *step)
{
    size_t failed = view_count(view, step, VERDICT_FAIL);
    size_t errors = view_count(view, step, VERDICT_ERROR);

    fputs("| <code>", out);
    escaped(out, step->name);
    fprintf(out, "</code> | %g/%g | ", step->score, step->max_score);
    if (*step->note)
        escaped(out, step->note);
    else if (errors)
        fprintf(out, "%zu not graded", errors);
    else if (failed)
        fprintf(out, "%zu of %zu cases failed", failed, step->count);
    else
        fprintf(out, "%zu cases passed", view_count(view, step, VERDICT_PASS));
    fputs(" |\n", out);
}

static void one_failure(FILE *out, const struct view_case *one)
{
    fprintf(out, "<details><summary>%s <code>",
            one->status == VERDICT_FAIL ? "failed" : "not graded");
    escaped(out, one->step);
    fputc('/', out);
    escaped(out, one->name);
    fputs("</code>", out);
    if (one->line > 0) {
        fputs(" at <code>", out);
        escaped(out, one->path);
        fprintf(out, ":%d</code>", one->line);
    }
    /* The empty lines end an HTML block and begin the next, <pre>, which goes
     * on until its end tag. */
    fputs("</summary>\n\n<pre>", out);
    escaped(out, one->detail);
    fputs("</pre>\n\n</details>\n\n", out);
}

static int summary(FILE *out, const struct view *view)
{
    size_t left = 0;

    fprintf(out, "## Faultline: %g/%g points%s\n\n", view->score,
            view->max_score, view->graded ? "" : " (not all could be graded)");
    fputs("| step | points | |\n|---|---|---|\n", out);
    for (size_t i = 0; i < view->steps; i++)
        one_row(out, view, &view->step[i]);
    fputc('\n', out);
    for (size_t i = 0; i < view->cases; i++) {
        if (!view_is_trouble(&view->all[i]))
            continue;
        if (ftell(out) < MOST_BYTES)
            one_failure(out, &view->all[i]);
        else
            left++;
    }
    if (left)
        fprintf(out, "and %zu more\n", left);
    return 0;
}

static const struct format format_summary = {
    .name = "summary", .file = "summary.md", .write = summary};
FORMAT(summary);
