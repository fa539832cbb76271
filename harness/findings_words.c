/* findings_words.c - valgrind's reports in the student's words. */
#include "findings_internal.h"

#include <stdio.h>
#include <string.h>

static const char *plural(unsigned long n)
{
    return n == 1 ? "" : "s";
}

/* "Address 0x4a4204a is 0 bytes after a block of size 10 alloc'd" */
static void place_words(const struct report *report, char *text, size_t size)
{
    const char *words =
        report->stacks > 1 ? report->stack[1].words : report->words;
    const char *is = strstr(words, " is ");
    unsigned long off, block;
    char side[16];

    if (is && sscanf(is, " is %lu bytes %15s a block of size %lu", &off, side,
                     &block) == 3) {
        const char *where = strcmp(side, "after") == 0 ? "behind the end of"
                            : strcmp(side, "before") == 0
                                ? "before the start of"
                                : "in";
        snprintf(text, size, "%s a block of %lu byte%s%s", where, block,
                 plural(block),
                 strstr(words, "free'd") ? " that has been freed" : "");
    } else if (sscanf(words, "Address 0x%lx", &off) == 1 && off < 4096) {
        snprintf(text, size, "through a null pointer");
    } else if (strstr(words, "stack")) {
        snprintf(text, size, "in a part of the stack that is not in use");
    } else {
        snprintf(text, size, "at an address where it has no memory");
    }
    if (strstr(words, "not stack'd") && off >= 4096)
        snprintf(text, size, "at an address where it has no memory");
}

static void access_words(const struct report *report, char *text, size_t size)
{
    char verb[16] = "", place[128];
    unsigned long bytes = 0;

    place_words(report, place, sizeof(place));
    sscanf(report->what, "Invalid %15s of size %lu", verb, &bytes);
    snprintf(text, size, "%ss %lu byte%s %s", verb, bytes, plural(bytes),
             place);
}

/* "Syscall param write(buf) points to uninitialised byte(s)" */
static void syscall_words(const struct report *report, char *text, size_t size)
{
    char call[48] = "a call", place[128];

    /* "socketcall.accept(addrlen_in)", "rt_sigaction(act->sa_flags)" */
    if (sscanf(report->what, "Syscall param socketcall.%47[a-z0-9_]", call) <
            1 &&
        sscanf(report->what, "Syscall param rt_%47[a-z0-9_]", call) < 1)
        sscanf(report->what, "Syscall param %47[a-z0-9_]", call);
    if (strstr(report->what, "points to uninit")) {
        snprintf(text, size, "hands bytes that were never set to %s()", call);
    } else if (strstr(report->what, "contains uninit")) {
        snprintf(text, size, "hands a value that was never set to %s()", call);
    } else {
        place_words(report, place, sizeof(place));
        snprintf(text, size, "lets %s() go %s", call, place);
    }
}

static void free_words(const struct report *report, char *text, size_t size)
{
    const char *words =
        report->stacks > 1 ? report->stack[1].words : report->words;

    snprintf(text, size, "%s",
             strstr(words, "free'd") ? "frees a block a second time"
                                     : "frees what is no allocated block");
}

static void leak_words(const struct report *report, char *text, size_t size)
{
    (void)report;
    snprintf(text, size, "loses what it allocates here");
}

/* "Possible data race during write of size 8 at 0x... by thread #3" */
static void race_words(const struct report *report, char *text, size_t size)
{
    const char *quote = strchr(report->words, '"');
    char verb[16] = "access", name[64] = "";
    unsigned long bytes = 0;

    sscanf(report->what, "Possible data race during %15s of size %lu", verb,
           &bytes);
    if (quote)
        sscanf(quote, "\"%63[^\"]", name);
    if (name[0])
        snprintf(text, size, "%ss %s while another thread uses it", verb, name);
    else
        snprintf(text, size, "%ss %lu byte%s that another thread uses", verb,
                 bytes, plural(bytes));
}

static void jump_words(const struct report *report, char *text, size_t size)
{
    (void)report;
    snprintf(text, size, "calls or returns to where there is no code");
}

static void unset_words(const struct report *report, char *text, size_t size)
{
    snprintf(text, size, "%s a value that was never set",
             strcmp(report->kind, "UninitCondition") == 0 ? "decides by"
                                                          : "uses");
}

static void overlap_words(const struct report *report, char *text, size_t size)
{
    char call[48] = "memcpy";

    sscanf(report->what, "Source and destination overlap in %47[a-z0-9_]",
           call);
    snprintf(text, size, "copies with %s() between places that overlap", call);
}

static void mismatch_words(const struct report *report, char *text, size_t size)
{
    (void)report;
    snprintf(text, size, "frees a block by another function's counterpart");
}

static void size_words(const struct report *report, char *text, size_t size)
{
    (void)report;
    snprintf(text, size, "asks for a block of a negative size");
}

/* Asked for by the interposer's bounds.c. */
static void bounds_words(const struct report *report, char *text, size_t size)
{
    (void)report;
    snprintf(text, size, "uses an element that the array does not have");
}

#define UNSET_HINT "Who sets it, on each of the ways that lead here?"

/* What counts, whose rule it is, and how to say it. Kinds that are not here
 * (lock orders, wrong uses of the thread library) are no finding. */
static const struct report_kind kinds[] = {
    {"InvalidRead", OBLIGATION_memory, access_words, NULL},
    {"InvalidWrite", OBLIGATION_memory, access_words, NULL},
    {"InvalidJump", OBLIGATION_memory, jump_words,
     "What overwrote the address that it goes to?"},
    {"InvalidFree", OBLIGATION_memory, free_words,
     "Which place frees it, on each of the ways out?"},
    {"MismatchedFree", OBLIGATION_memory, mismatch_words,
     "What malloc(3) gave, free(3) takes back."},
    {"FishyValue", OBLIGATION_memory, size_words,
     "Which result went into the size without a look at it?"},
    {"ClientCheck", OBLIGATION_memory, bounds_words,
     "How many elements are there, and which index is the last?"},
    {"Overlap", OBLIGATION_memory, overlap_words,
     "memcpy(3) names the function that may do so."},
    {"UninitCondition", OBLIGATION_memory, unset_words, UNSET_HINT},
    {"UninitValue", OBLIGATION_memory, unset_words, UNSET_HINT},
    {"SyscallParam", OBLIGATION_memory, syscall_words, NULL},
    {"Leak_DefinitelyLost", OBLIGATION_leak, leak_words, NULL},
    {"Leak_IndirectlyLost", OBLIGATION_leak, leak_words, NULL},
    {"Race", OBLIGATION_race, race_words, NULL},
};

const struct report_kind *report_kind(const struct report *report)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].name, report->kind) == 0)
            return &kinds[i];
    return NULL;
}

const char *report_hint(const struct report *report)
{
    static const char *const hints[][2] = {
        {"has been freed", "Who still has a pointer to it after free(3)?"},
        {"a null pointer", "Which call may answer NULL, and who looks at it?"},
        {"the stack", "What lies on a function's stack ends when it returns."},
    };
    const struct report_kind *kind = report_kind(report);
    char words[192];

    if (kind->hint)
        return kind->hint;
    kind->say(report, words, sizeof(words));
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
        if (strstr(words, hints[i][0]))
            return hints[i][1];
    return NULL;
}
