/* watchdog.h - the net below every proof: a step that makes no progress at all.
 *
 * A program can hold the harness itself in the kernel (splice(2) holds a
 * pipe's lock while it waits, and our write to that pipe waits for the lock,
 * whatever O_NONBLOCK says). Ending the program lets the harness go on; what
 * came of it is no verdict.
 */
#ifndef FAULTLINE_WATCHDOG_H
#define FAULTLINE_WATCHDOG_H

#include <stdbool.h>
#include <sys/types.h>

#define WATCHDOG_S 60

/* Watches from now on: ends the program where it is not fed for that many
 * seconds though the process's first thread sleeps in the kernel. Returns 0,
 * or an error number. */
int watchdog_start(unsigned seconds);

/* The harness is alive, and this is the program under test, the leader of its
 * session; 0: none, as soon as it may be gone, since its number may be
 * another's then. */
void watchdog_feed(pid_t program);

/* Was a program ended since the last time that this was asked? */
bool watchdog_has_bitten(void);

#endif
