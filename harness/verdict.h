/* verdict.h - what was expected, what came, whose rule.
 *
 * Must not know: how a case is played, how a report looks.
 */
#ifndef FAULTLINE_VERDICT_H
#define FAULTLINE_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

/* The rules by their kind; `obligation` in report.json. */
/* clang-format off */
#define OBLIGATIONS(X) \
    X(build) X(startup) X(echo) X(partial) X(interrupt) X(reset) X(accept)   \
    X(fork) X(thread) X(memory) X(concurrency) X(zombie) X(handler)          \
    X(sigpipe) X(descriptors) X(leak) X(race) X(idle) X(shutdown)            \
    X(isolation)
/* clang-format on */
#define OBLIGATION_ENUM(name) OBLIGATION_##name,
enum obligation { OBLIGATIONS(OBLIGATION_ENUM) OBLIGATION_COUNT };
#undef OBLIGATION_ENUM
const char *obligation_name(enum obligation obligation);

/* Three kinds of trouble, never mixed: the program's (FAIL), and the
 * machine's or the kit's (ERROR). SKIP: what the case builds on failed. */
enum verdict_status {
    VERDICT_NONE, /* not played yet */
    VERDICT_PASS,
    VERDICT_FAIL,
    VERDICT_SKIP,
    VERDICT_ERROR,
};
const char *verdict_status_name(enum verdict_status status);

struct verdict {
    enum verdict_status status;
    char expected[512];
    char came[768];
    char story[1536];  /* the last acts and calls, oldest first, a line each */
    char printed[512]; /* the last that the program said on stderr */
    char file[64];     /* the blamed line; "": none */
    int line;
    char function[64];
    char from[256];         /* who called it, innermost first; "": nobody */
    const char *why, *hint; /* for what failed; NULL: the row's. Literals */
    double duration_ms;

    /* Of a sweep only. */
    unsigned injected, survived; /* failures; injected 0: no sweep */
    char plan[200];              /* the first that did harm, as of fault.h */
    char harm[2048];             /* all that did, a line for each kind */
    char bounds[256];            /* what was left out; "": nothing */
    bool has_obligation;         /* whose rule it broke: */
    enum obligation obligation;
};

/* A verdict in one text: "expected ...; came ...". Returns `text`. */
char *verdict_message(const struct verdict *verdict, char *text, size_t size);

#endif
