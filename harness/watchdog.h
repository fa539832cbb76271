/* watchdog.h - the net below every proof: a step that makes no progress at all.
 *
 * A program can hold the harness itself in the kernel (splice(2) holds a
 * pipe's lock while it waits, and our write to that pipe waits for the lock,
 * whatever O_NONBLOCK says). Ending the program lets the harness go on.
 */
#ifndef FAULTLINE_WATCHDOG_H
#define FAULTLINE_WATCHDOG_H

#include <sys/types.h>

/* Watches from now on. Returns 0, or an error number. */
int watchdog_start(void);

/* The harness is alive, and this is the program under test (0: none). */
void watchdog_feed(pid_t program);

#endif
