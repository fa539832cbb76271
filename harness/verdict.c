/* verdict.c - names and texts of verdicts. */
#include "verdict.h"

#include <stdio.h>

const char *obligation_name(enum obligation obligation)
{
#define OBLIGATION_NAME(name) #name,
    static const char *const names[] = {OBLIGATIONS(OBLIGATION_NAME)};
#undef OBLIGATION_NAME
    return names[obligation];
}

const char *verdict_status_name(enum verdict_status status)
{
    static const char *const names[] = {"none", "pass", "fail", "skip",
                                        "error"};
    return names[status];
}

char *verdict_message(const struct verdict *verdict, char *text, size_t size)
{
    if (verdict->expected[0])
        snprintf(text, size, "expected: %s\ncame: %s", verdict->expected,
                 verdict->came);
    else
        snprintf(text, size, "%s", verdict->came);
    return text;
}
