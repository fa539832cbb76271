/* torture_search.h - the search of `make torture` in one step: one failure at
 * a time, every two of them, and what is drawn from a seed.
 */
#ifndef FAULTLINE_TORTURE_SEARCH_H
#define FAULTLINE_TORTURE_SEARCH_H

#include "step.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TORTURE_FINDS 32

struct torture_options {
    const struct step *step;
    const char *submission; /* as it was typed */
    unsigned seconds;
    uint64_t plans; /* in place of the seconds; 0: no bound */
    uint64_t seed;
    size_t finds; /* after so many it stops; at most TORTURE_FINDS */
    FILE *out;    /* gets what did harm, as it is found */
};

/* The step with the search as its first case behind the build, which fails
 * where harm was done; then its own cases for valgrind, with each call that
 * can fail. To be played by run_step() in a sandbox. `options` must outlive
 * it. */
const struct step *torture_step(const struct torture_options *options);

#endif
