/* calls.c - the table of calls.h, laid out for look-up. */
#include "calls.h"

#include <string.h>

#define CALL_ROW(name, family, point) {#name, point, FAMILY_##family},
static const struct {
    const char *name;
    const char *point;
    enum call_family family;
} rows[CALL_COUNT] = {{"none", "faultline/none", FAMILY_NONE}, CALLS(CALL_ROW)};
#undef CALL_ROW

/* Out of the trace may come any number. */
static size_t row_of(enum call_id id)
{
    return (size_t)id < CALL_COUNT ? (size_t)id : CALL_none;
}

const char *call_name(enum call_id id)
{
    return rows[row_of(id)].name;
}

const char *call_point(enum call_id id)
{
    return rows[row_of(id)].point;
}

enum call_family call_family(enum call_id id)
{
    return rows[row_of(id)].family;
}

enum call_id call_by_name(const char *name)
{
    for (int id = CALL_none + 1; id < CALL_COUNT; id++)
        if (strcmp(rows[id].name, name) == 0)
            return (enum call_id)id;
    return CALL_none;
}
