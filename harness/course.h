/* course.h - an instructor's points and hidden cases, from one file.
 *
 * A line of the file is one of these; `#` begins a comment:
 *
 *     points PATTERN N              N points for each case that it names
 *     hide PATTERN                  students never see these cases,
 *     hide PATTERN until due        ... not before the due date,
 *     hide PATTERN until published  ... not before the grades are published
 *     sum STEP N                    what the step's cases add up to
 *     total N                       what all cases add up to
 *
 * PATTERN is STEP/CASE as of fnmatch(3), `*` for any number of characters: a
 * case's name alone would mean one in each step. Points are whole quarters.
 * Later lines win over earlier ones. Where points are set, a total must be
 * said and must be right; a sum must be right where it is said.
 */
#ifndef FAULTLINE_COURSE_H
#define FAULTLINE_COURSE_H

#include "step.h"

#include <stdio.h>

/* Reads a course's file over the tables, which it changes. Steps and cases
 * are the caller's copies: course_copy(). Returns 0, or -1 with one line in
 * `error` that begins with `path` and the number of the line. */
int course_read(FILE *file, const char *path, struct step *const steps[],
                size_t count, char *error, size_t size);

/* A copy of a step that may be changed, its cases too; to be kept until the
 * program ends. NULL: no memory. */
struct step *course_copy(const struct step *step);

/* In Gradescope's words: visible, hidden, after_due_date, after_published. */
const char *visibility_name(enum visibility visibility);

#endif
