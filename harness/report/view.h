/* view.h - report.json as the formats see it: a flat list of cases, in plain
 * structures.
 *
 * All texts are harmless: UTF-8 in which control characters other than newline
 * and tab, and characters that turn the order of a line around, have become
 * \x1b or \u202e. What is left to a format is the syntax of its own.
 */
#ifndef FAULTLINE_VIEW_H
#define FAULTLINE_VIEW_H

#include "../verdict.h"

#include <jansson.h>
#include <stdbool.h>

struct view_case {
    const char *step;
    const char *name; /* without the step's; unique within it */
    const char *obligation;
    enum verdict_status status; /* never VERDICT_NONE */
    double score, max_score;    /* points; in between: a sweep's */
    double cost; /* points lost with it: its own, or a whole step's */
    double seconds;
    const char *message; /* "": it passed */
    const char *hint;
    char *detail; /* message, line, why, hint, command; "": it passed */
    char *path;   /* as seen from the root of the repository; "": none */
    int line;     /* 0: none */
    const char *visibility; /* in Gradescope's words: visible, hidden, ... */
};

struct view_step {
    const char *name;
    const char *note; /* why it was not played; "": it was */
    double score, max_score;
    double seconds;
    struct view_case *first;
    size_t count;
};

struct view {
    json_t *report; /* own copy; owns what is const here */
    const char *version, *isolation;
    double score, max_score, seconds;
    bool graded;
    struct view_step *step;
    size_t steps;
    struct view_case *all; /* the steps' cases, one after the other */
    size_t cases;
    char *folder; /* of the submission: "exercises/", or "" */
};

/* Takes a view of a report. Without `complete` the cases that the instructor
 * hides are one case a step, hidden_cases, which has the points of them all:
 * totals stay true. A step of which nothing was played has one more case that
 * failed, is_started, beside all that were skipped; one that the kit could not
 * play has is_graded. Keys that are missing are empty or 0.
 * Returns 0, or -1 without memory; release it in both cases. */
int view_take(struct view *view, const json_t *report, bool complete);
void view_release(struct view *view);

/* The harmless form of a text in UTF-8; free(3) it. NULL: no memory. */
char *view_harmless(const char *text);

/* How many cases of the step, or of all (NULL), came out so. */
size_t view_count(const struct view *view, const struct view_step *step,
                  enum verdict_status status);

/* A failure, or what could not be graded. */
bool view_is_trouble(const struct view_case *one);

#endif
