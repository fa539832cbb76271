/* swept.h - rows that every step ends with: each call of a run is made to
 * fail in each way it can, one after the other (sweep.h). */
#ifndef FAULTLINE_SWEPT_H
#define FAULTLINE_SWEPT_H

#include "../sweep.h"

/* clang-format off */
#define SWEPT_TRANSPARENT(POINTS, NEEDS)                                       \
    {.name = "survives_every_transparent_failure",                             \
     .obligation = OBLIGATION_partial, .points = POINTS,                       \
     .why = "Short counts, interruptions and clients that gave up are no "     \
            "errors: whoever goes on loses nothing: read(2), signal(7).",      \
     .hint = "After each call: how much did it do, and what is left to do?",   \
     .play = sweep_transparent, .needs = NEEDS}
#define SWEPT_CONNECTION(POINTS, NEEDS)                                        \
    {.name = "survives_every_connection_failure",                              \
     .obligation = OBLIGATION_reset, .points = POINTS,                         \
     .why = "A connection that breaks concerns the two at its ends: tcp(7), "  \
            "ERRORS.",                                                         \
     .hint = "What must be closed, freed or ended on this way out, too?",      \
     .play = sweep_connection, .needs = NEEDS}
#define SWEPT_RESOURCE(POINTS, NEEDS)                                          \
    {.name = "survives_every_resource_failure",                                \
     .obligation = OBLIGATION_accept, .points = POINTS,                        \
     .why = "A shortage of descriptors, processes or memory passes: "          \
            "accept(2), fork(2), malloc(3).",                                  \
     .hint = "Who can be turned away, so that all others stay?",               \
     .play = sweep_resource, .needs = NEEDS}
#define SWEPT_STARTUP(POINTS, NEEDS)                                           \
    {.name = "reports_every_startup_failure",                                  \
     .obligation = OBLIGATION_startup, .points = POINTS,                       \
     .why = "Who cannot start says why on stderr, and exits with 1: "          \
            "bind(2), errno(3).",                                              \
     .hint = "Is each call looked at before the next is made?",                \
     .play = sweep_startup, .needs = NEEDS}
#define SWEPT_SERVER(TRANSPARENT, CONNECTION, RESOURCE, STARTUP, NEEDS)        \
    SWEPT_TRANSPARENT(TRANSPARENT, NEEDS),                                     \
    SWEPT_CONNECTION(CONNECTION, NEEDS),                                       \
    SWEPT_RESOURCE(RESOURCE, NEEDS), SWEPT_STARTUP(STARTUP, NEEDS)
/* clang-format on */

#endif
