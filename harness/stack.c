/* stack.c - unwinding a live thread: elfutils/libdwfl.h, ptrace(2). */
#define _GNU_SOURCE
#include "stack.h"

#include "census.h"

#include <elfutils/libdwfl.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>

/* A thread that has a processor to itself is asleep again after a few; with
 * others before it, after as many as they have turns. */
#define LOOKS 100000

/* The unwind tables are in the program's and the libraries' own files. */
static int no_debuginfo(Dwfl_Module *module, void **data, const char *name,
                        Dwarf_Addr base, const char *file, const char *link,
                        GElf_Word crc, char **found)
{
    (void)module, (void)data, (void)name, (void)base;
    (void)file, (void)link, (void)crc, (void)found;
    return -1;
}

static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_linux_proc_find_elf,
    .find_debuginfo = no_debuginfo,
};

struct walk {
    uint64_t start, end;
    uint64_t *callers;
    size_t count, most;
};

static int on_frame(Dwfl_Frame *frame, void *arg)
{
    struct walk *walk = arg;
    Dwarf_Addr pc;
    bool active;

    if (!dwfl_frame_pc(frame, &pc, &active) || walk->count == walk->most)
        return DWARF_CB_ABORT;
    if (pc >= walk->start && pc < walk->end)
        walk->callers[walk->count++] = active ? pc + 1 : pc;
    return DWARF_CB_OK;
}

static char state_of(pid_t pid, pid_t tid)
{
    struct census_thread thread;

    return census_thread(pid, tid, &thread) ? thread.state : 'X';
}

/* Let go, it makes its call again: only then does the kernel show it as it
 * was. */
static void await_sleep(pid_t pid, pid_t tid)
{
    for (int look = 0; look < LOOKS && !strchr("SZX", state_of(pid, tid));
         look++)
        sched_yield();
}

size_t stack_callers(pid_t pid, pid_t tid, uint64_t start, uint64_t end,
                     uint64_t *callers, size_t most)
{
    struct walk walk = {start, end, callers, 0, most};
    bool slept = state_of(pid, tid) == 'S';
    Dwfl *dwfl = dwfl_begin(&callbacks);

    if (!dwfl)
        return 0;
    if (dwfl_linux_proc_report(dwfl, pid) == 0 &&
        dwfl_report_end(dwfl, NULL, NULL) == 0 &&
        dwfl_linux_proc_attach(dwfl, pid, false) == 0)
        dwfl_getthread_frames(dwfl, tid, on_frame, &walk);
    dwfl_end(dwfl);
    if (slept)
        await_sleep(pid, tid);
    return walk.count;
}
