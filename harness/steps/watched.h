/* watched.h - scenes for valgrind, which all steps share.
 *
 * A row with a tool is judged by what valgrind found, not by what the play
 * expects: a scene makes the program do each thing that it does for a client
 * three times, so that what it loses each time can be told from what it
 * keeps. Rows with the same scene and the same plan share one run.
 */
#ifndef FAULTLINE_WATCHED_H
#define FAULTLINE_WATCHED_H

#include "../play.h"

/* What breaks in the scenes of the servers, by their clients: the first three
 * are served, the next three reset, the next three break while written to. */
#define WATCHED_FAULTS                                                         \
    "accept#4=ECONNABORTED,accept#6=EPROTO,accept#8=ENFILE,"                   \
    "write@conn7#1=ECONNRESET,write@conn8#1=ETIMEDOUT,"                        \
    "write@conn9#1=ECONNRESET,read@conn10#1=short:1,write@conn10#1..2=short:1"

/* Clients that are served, one after the other or twice three at once;
 * clients that reset, connections that break, short calls, accepts that
 * fail; and at last a shortage of memory, of processes, or of threads. */
void watched_server(struct play *play);
void watched_forking(struct play *play);
void watched_threads(struct play *play);
void watched_loop(struct play *play);

/* Twice three clients at once, and no more. */
void watched_at_once(struct play *play);

/* The client: an unknown host, one that refuses, a talk, and a server that
 * resets in the middle of another one. */
#define WATCHED_CLIENT_FAULTS "read@conn1#1=short:1,write@conn1#1..2=short:1"
void watched_client(struct play *play);

/* The rows of the tables, half a point each. */
/* clang-format off */
#define WATCHED_ROW(NAME, RULE, WHY, HINT, FAULTS, PLAY, NEEDS)                \
    {.name = NAME, .obligation = OBLIGATION_##RULE, .points = 0.5,             \
     .why = WHY, .hint = HINT, .faults = FAULTS, .play = PLAY, .needs = NEEDS, \
     .tool = TOOL_MEMCHECK}
#define WATCHED_MEMORY(FAULTS, PLAY, NEEDS)                                    \
    WATCHED_ROW("uses_memory_correctly", memory,                               \
        "Memory that is not yours, or that nobody has set, may look right "    \
        "today and be another client's bytes tomorrow: malloc(3).",            \
        "How many bytes has the buffer, and how many of them did read(2) "     \
        "fill?", FAULTS, PLAY, NEEDS)
#define WATCHED_LEAK(FAULTS, PLAY, NEEDS)                                      \
    WATCHED_ROW("frees_what_it_allocates", leak,                               \
        "What nobody frees adds up until there is no memory left: free(3).",   \
        "Every way out frees what was allocated on the way in.",               \
        FAULTS, PLAY, NEEDS)
#define WATCHED_CLOSE(FAULTS, PLAY, NEEDS)                                     \
    WATCHED_ROW("closes_each_descriptor_once", descriptors,                    \
        "A descriptor that is closed twice may be another client's by then; "  \
        "one that is never closed is lost: close(2).",                         \
        "Who closes the connection: is it one place, on every way out?",       \
        FAULTS, PLAY, NEEDS)
#define WATCHED_RACE(PLAY, NEEDS)                                              \
    {.name = "has_no_data_race", .obligation = OBLIGATION_race, .points = 0.5, \
     .why = "Two threads that use the same memory without a lock may each "    \
            "undo what the other did, once in a million times: "               \
            "pthread_mutex_lock(3).",                                          \
     .hint = "Which variables does more than one thread touch, and under "     \
             "which lock?",                                                    \
     .play = PLAY, .needs = NEEDS, .tool = TOOL_HELGRIND}
/* clang-format on */

#endif
