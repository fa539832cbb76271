/* options.h - what `grade` was asked for, and the check of it.
 *
 * Bad input gets one clear line that says what to do. Must not know: how a
 * step is graded.
 */
#ifndef FAULTLINE_OPTIONS_H
#define FAULTLINE_OPTIONS_H

#include <stdbool.h>

#define NOT_GRADED 2 /* exit status */

struct options {
    const char *steps; /* names, by blanks; "": all */
    const char *pattern;
    const char *submission;
    const char *told_as; /* what reports call it; NULL: the same */
    const char *report;
    const char *interposer;
    int jobs;
    int isolation; /* enum sandbox_kind, or -1: the best */
    bool verbose;
    const char *replay;    /* "text" or "json"; NULL: grade */
    const char *debugger;  /* NULL: none */
    const char *fault;     /* a plan to replay; NULL: a case */
    const char *peers;     /* what the clients do meanwhile; NULL: as ever */
    bool without_valgrind; /* the cases that need it are left out */
    bool only_valgrind;    /* all others are */
    bool first_failure;    /* a failed case ends its step */
    const char *formats;   /* beside report.json: names, by blanks; "": all */
    const char *course;    /* a course's file; NULL: none */
    const char *from;      /* a report.json to make formats of; NULL: grade */
    bool list;             /* say what there is, and grade nothing */
};

/* Says why on stderr, and ends the program: not graded. */
__attribute__((noreturn, format(printf, 1, 2))) void give_up(const char *format,
                                                             ...);

/* The arguments of main(), getopt_long(3). What is not understood ends the
 * program. The strings are those of argv. */
struct options options_parse(int argc, char **argv);

/* Each ends the program where something asked for cannot be had. The second
 * makes the report's folder where there is none. */
void options_check_formats(const struct options *options);
void options_check_report(const struct options *options);
void options_check(const struct options *options);

/* How many cases its steps and its pattern name. */
unsigned options_cases(const struct options *options);

/* Is that one of the names, by blanks or commas? No names at all: yes. */
bool options_name(const char *names, const char *name);

#endif
