/* debug.c - `make debug`: hold the program, run the debugger, let it go. */
#define _GNU_SOURCE
#include "debug.h"

#include "play_internal.h"
#include "watchdog.h"

#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *debugger;

void debug_with(const char *command)
{
    debugger = command;
}

static bool injects(const struct trace *trace)
{
    for (unsigned i = 0; i < trace_faults(trace); i++)
        if (trace->fault[i].action != FAULT_HOLD &&
            trace->fault[i].action != FAULT_HOLD_AFTER)
            return true;
    return false;
}

void debug_prepare(struct play *play)
{
    struct trace *trace = play->program->trace;

    if (debugger && play->row->play)
        atomic_store(&trace->debug,
                     injects(trace) ? TRACE_DEBUG_INJECTED : TRACE_DEBUG_START);
}

void debug_attach(struct play *play)
{
    struct trace *trace = play->program->trace;
    int pid = atomic_load(&trace->debug_pid);
    char command[512];

    if (pid == 0 || !debugger)
        return;
    snprintf(command, sizeof(command), "%s -p %d", debugger, pid);
    printf("The program waits %s. Attaching:\n    %s\n"
           "(`up` leads to your own code; `detach` or `quit` lets it go on)\n",
           trace->debug == TRACE_DEBUG_START ? "before its main()"
                                             : "at the failing call",
           command);
    fflush(stdout);
    watchdog_feed(0); /* take your time */
    if (system(command) != 0)
        fprintf(stderr, "The debugger has failed; is gdb installed?\n");
    atomic_store(&trace->debug, TRACE_DEBUG_OFF);
    atomic_store(&trace->debug_pid, 0);
    syscall(SYS_futex, &trace->debug, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}
