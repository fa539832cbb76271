/* debug.h - a debugger attached to the program where a failure is injected.
 */
#ifndef FAULTLINE_DEBUG_H
#define FAULTLINE_DEBUG_H

struct play;

/* Before the run: the program shall wait at the first injected failure, or,
 * in a case without any, before its main(). Does nothing unless debugging
 * was asked for by debug_with(). */
void debug_prepare(struct play *play);

/* The debugger's command line, as "gdb" or "gdb -batch -ex bt"; "-p PID" is
 * added. NULL: no debugging. */
void debug_with(const char *command);

/* Where the program waits: prints the command, runs it on the terminal, and
 * lets the program go on when it has ended. */
void debug_attach(struct play *play);

#endif
