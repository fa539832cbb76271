/* sandbox.h - what the program under test may touch.
 *
 * The strongest isolation that the machine allows is taken, and named in the
 * report. Must not know: steps, cases.
 */
#ifndef FAULTLINE_SANDBOX_H
#define FAULTLINE_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

enum sandbox_kind {
    SANDBOX_NAMESPACES, /* own processes, network, mounts, ipc, host name */
    SANDBOX_PLAIN,      /* process group, subreaper, limits */
};
const char *sandbox_name(enum sandbox_kind kind);

/* The strongest that works here, tried in a child. */
enum sandbox_kind sandbox_best(void);

/* Runs `work(arg)` in a child inside the sandbox, and ends whatever it left
 * behind. Returns the child's exit status, 128 + N where signal N ended it,
 * or -1 with errno where the sandbox cannot be had. */
int sandbox_run(enum sandbox_kind kind, int (*work)(void *arg), void *arg);

/* A port that is free now: outside the ephemeral range, and a taken one is
 * passed over. `*next` is where to look first; it moves on. 0: none. */
uint16_t sandbox_port(uint16_t *next);

#endif
