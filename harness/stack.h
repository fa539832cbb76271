/* stack.h - where in its own code a blocked thread stands.
 *
 * For threads that wait in a function that the trace does not know: for a
 * lock, a condition, a signal. By the program's unwind tables, through
 * elfutils' libdwfl, with the thread stopped for as long as it takes; if it
 * slept, it does so again.
 *
 * Must not know: calls, cases, verdicts.
 */
#ifndef FAULTLINE_STACK_H
#define FAULTLINE_STACK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The return addresses of that thread that lie from `start` to below `end`,
 * innermost first, at most `most`. Returns how many; 0 where the thread is
 * gone or may not be looked at. */
size_t stack_callers(pid_t pid, pid_t tid, uint64_t start, uint64_t end,
                     uint64_t *callers, size_t most);

#endif
