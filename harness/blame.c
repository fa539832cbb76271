/* blame.c - from a verdict to the student's line. */
#define _GNU_SOURCE
#include "blame.h"

#include "source.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static size_t frames_of(struct play *play, uint64_t address,
                        struct source_frame *frames)
{
    if (address == 0)
        return 0;
    if (!play->source && play->binary)
        play->source = source_open(play->binary);
    return source_find(play->source, address - play->program->trace->load_base,
                       frames, SOURCE_FRAMES);
}

char *blame_place(struct play *play, uint64_t address, char *text, size_t size)
{
    struct source_frame frames[SOURCE_FRAMES];

    text[0] = '\0';
    if (frames_of(play, address, frames) > 0 && frames[0].line > 0)
        snprintf(text, size, " at %s:%d", frames[0].file, frames[0].line);
    return text;
}

void blame_end(struct play *play)
{
    source_close(play->source);
    play->source = NULL;
}

static void add_caller(struct verdict *verdict,
                       const struct source_frame *frame)
{
    size_t len = strlen(verdict->from);

    if (!frame->function[0])
        return;
    snprintf(verdict->from + len, sizeof(verdict->from) - len, "%s%s (%s:%d)",
             len ? " from " : "", frame->function,
             frame->file[0] ? frame->file : "?", frame->line);
}

/* The innermost frame is the place; those around it are told behind it. */
static void blame_stack(struct play *play, const uint64_t *callers, size_t most)
{
    struct verdict *verdict = play->verdict;
    struct source_frame frames[SOURCE_FRAMES];

    for (size_t i = 0; i < most && callers[i]; i++) {
        size_t count = frames_of(play, callers[i], frames);

        for (size_t k = 0; k < count; k++) {
            if (i > 0 || k > 0) {
                add_caller(verdict, &frames[k]);
                continue;
            }
            memcpy(verdict->file, frames[0].file, sizeof(verdict->file));
            memcpy(verdict->function, frames[0].function,
                   sizeof(verdict->function));
            verdict->line = frames[0].line;
        }
    }
}

/* ---- Which call ---- */

static bool is_injected(const struct trace_record *record, const void *arg)
{
    (void)arg;
    return record->injected != FAULT_NOTHING &&
           record->injected != FAULT_HOLD_AFTER;
}

static bool is_last_of_first_process(const struct trace_record *record,
                                     const void *arg)
{
    (void)arg;
    return record->process == 1 && record->caller[0] != 0;
}

static bool is_write_on(const struct trace_record *record, const void *arg)
{
    return record->conn == *(const int *)arg &&
           call_family(record->call) == FAMILY_WRITE;
}

static bool is_call_on(const struct trace_record *record, const void *arg)
{
    return record->conn == *(const int *)arg && record->caller[0] != 0 &&
           call_family(record->call) != FAMILY_ACCEPT;
}

static bool is_unsafe(const struct trace_record *record, const void *arg)
{
    (void)arg;
    return record->call == CALL_unsafe;
}

static bool is_open_call(const struct trace_record *record, const void *arg)
{
    return record->returned == 0 && record->caller[0] != 0 &&
           record->tid == *(const int32_t *)arg;
}

/* How much a blocked thread explains of a hang at a connection that nobody
 * serves: the first process waits for a child or a thread; or its first
 * thread for another client; or anybody does. */
static int weight_of(const struct trace_thread *slot)
{
    enum call_family family = call_family(atomic_load(&slot->call));

    if (slot->process == 1 &&
        (family == FAMILY_WAIT || family == FAMILY_PTHREAD_JOIN))
        return 3;
    if (atomic_load(&slot->conn) == 0)
        return 0;
    return slot->process == 1 && slot->thread <= 1 ? 2 : 1;
}

/* The thread to name for a hang: one that serves the connection in question,
 * else the one that explains most. */
static const struct trace_thread *blocked_thread(struct play *play)
{
    struct trace *trace = play->program->trace;
    uint32_t count = atomic_load(&trace->threads);
    const struct trace_thread *best = NULL;

    for (uint32_t i = 0; i < count && i < TRACE_THREADS; i++) {
        const struct trace_thread *slot = &trace->thread[i];
        int conn = atomic_load(&slot->conn);

        if (atomic_load(&slot->call) == CALL_none ||
            census_state(slot->pid) == 'X' || census_state(slot->pid) == 'Z')
            continue;
        if (play->blame_conn && conn == play->blame_conn)
            return slot;
        if (!best || weight_of(slot) > weight_of(best))
            best = slot;
    }
    return best;
}

static bool find_blocked(struct play *play, struct trace_record *record)
{
    const struct trace_thread *slot = blocked_thread(play);
    int32_t tid;

    if (!slot)
        return false;
    tid = atomic_load(&slot->tid);
    return trace_find_last(play->program->trace, is_open_call, &tid, record);
}

static bool died(const struct play *play)
{
    return play->program->pid && !play->program->running &&
           (WIFSIGNALED(play->program->status) ||
            WIFEXITED(play->program->status));
}

static bool is_any_call(const struct trace_record *record, const void *arg)
{
    (void)arg;
    return record->caller[0] != 0;
}

/* A spin turns where its last call is. Else the way out of a program that
 * ended badly explains most; then a failure that was injected; then an end;
 * then a hang. */
static bool find_by_itself(struct play *play, struct trace_record *record)
{
    struct trace *trace = play->program->trace;

    if (play->spins)
        return trace_find_last(trace, is_any_call, NULL, record);
    if (died(play) && play->program->status != 0)
        return trace_find_last(trace, is_last_of_first_process, NULL, record);
    if (trace_find_last(trace, is_injected, NULL, record) && record->caller[0])
        return true;
    if (died(play))
        return trace_find_last(trace, is_last_of_first_process, NULL, record);
    if (play->blame_conn &&
        trace_find_last(trace, is_write_on, &play->blame_conn, record))
        return true;
    if (play->hangs)
        return find_blocked(play, record);
    return play->blame_conn &&
           trace_find_last(trace, is_call_on, &play->blame_conn, record);
}

void blame_fill(struct play *play)
{
    struct trace *trace = play->program->trace;
    struct trace_record record;
    bool found = false;

    switch (play->blame) {
    case BLAME_BY_ITSELF:
        found = find_by_itself(play, &record);
        break;
    case BLAME_UNSAFE:
        found = trace_find_last(trace, is_unsafe, NULL, &record);
        break;
    case BLAME_NOTHING:
        break;
    }
    if (found)
        blame_stack(play, record.caller, TRACE_CALLERS);
}
