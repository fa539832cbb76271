/* step.c - the steps, by name. */
#include "step.h"

#include <stdio.h>
#include <string.h>

const struct step *step_by_name(const char *name)
{
    for (STEPS_EACH(step))
        if (strcmp((*step)->name, name) == 0)
            return *step;
    return NULL;
}

const char *step_names(void)
{
    static char names[256];
    size_t at = 0;

    for (STEPS_EACH(step))
        if (at < sizeof(names))
            at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s",
                                   at ? " " : "", (*step)->name);
    return names;
}
