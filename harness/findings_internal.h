/* findings_internal.h - a report of valgrind's as it is read: what findings.c
 * and findings_words.c share. */
#ifndef FAULTLINE_FINDINGS_INTERNAL_H
#define FAULTLINE_FINDINGS_INTERNAL_H

#include "findings.h"

#define REPORT_FRAMES 32
#define REPORT_STACKS 4

struct frame {
    char object[256];
    char function[64];
    char file[64];
    int line;
};

struct stack {
    char words[256]; /* what announced it */
    struct frame frame[REPORT_FRAMES];
    size_t frames;
};

/* One <error>, as it is read. */
struct report {
    char kind[32];
    char what[256];
    char words[256]; /* the last <auxwhat>: announces the next stack, or says
                      * what memory it is about */
    struct stack stack[REPORT_STACKS];
    size_t stacks;
    uint64_t blocks, bytes;
};

/* A kind of report that counts: whose rule it is, and how to say it. */
struct report_kind {
    const char *name;
    enum obligation obligation;
    void (*say)(const struct report *report, char *text, size_t size);
    const char *hint; /* NULL: by the place in memory */
};

/* NULL: reports of this kind are no finding. */
const struct report_kind *report_kind(const struct report *report);

/* A hint for a report of a kind that counts; NULL: the row's. A literal. */
const char *report_hint(const struct report *report);

#endif
