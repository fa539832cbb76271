/* report.h - one file a format, each made from the same result. */
#ifndef FAULTLINE_REPORT_H
#define FAULTLINE_REPORT_H

#include "../result.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct report_style {
    bool colour;
    bool verbose; /* every failure of every step; else the first step's */
};

/* The terminal: a line a step as it is done, then the failures. */
void report_text_step(FILE *out, const struct step_result *step,
                      const struct report_style *style);
void report_text_end(FILE *out, const struct result *result,
                     const struct report_style *style);

/* Writes `text` behind `label`, wrapped at words for 80 columns; further lines
 * are indented as the first. What could drive a terminal is made harmless. */
void report_wrap(FILE *out, const char *label, const char *text);

/* The command that plays this case again. Returns `text`. */
char *report_replay_command(const struct result *result,
                            const struct step *step,
                            const struct step_case *row,
                            const struct verdict *verdict, char *text,
                            size_t size);

/* The complete result, of which the file report.json and all formats
 * (format.h) are made. To be released by json_decref(); NULL: no memory. */
json_t *report_document(const struct result *result);

/* report.json, written beside and renamed, so that a half-written report is
 * never taken for a whole one. Returns 0, or -1 with errno. */
int report_json(const char *path, const json_t *report);

/* One case told whole: the rule, the outcome, then the story that the worker
 * left in `folder`. */
void report_replay(FILE *out, const struct result *result, const char *folder,
                   bool json);

/* The tables as they stand, for `grade --list`. */
void report_list(FILE *out, const struct result *result);

#endif
