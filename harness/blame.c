/* blame.c - from a verdict to the student's line. */
#define _GNU_SOURCE
#include "blame_internal.h"

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

char *blame_standing(struct play *play, const struct trace_thread *slot,
                     char *text, size_t size)
{
    struct trace_record record;

    text[0] = '\0';
    return blame_find_standing(play, slot, &record)
               ? blame_place(play, record.caller[0], text, size)
               : text;
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

    if (!frame->function[0] || strcmp(frame->function, "_start") == 0)
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

static bool died(const struct play *play)
{
    return play->program->pid && !play->program->running &&
           (WIFSIGNALED(play->program->status) ||
            WIFEXITED(play->program->status));
}

/* A spin turns where its last calls are. Else the way out of a program that
 * has ended explains most; then a failure that was injected; then what was
 * done with the connection in question; then a hang. */
static bool find_by_itself(struct play *play, struct trace_record *record)
{
    if (play->spins)
        return blame_find_spin(play, record);
    if (died(play))
        return blame_find_death(play, record);
    if (blame_find_early_end(play, record) ||
        blame_find_injected(play, record) ||
        blame_find_kept_back(play, record) || blame_find_flow(play, record))
        return true;
    if (!play->hangs)
        return blame_find_last_on(play, record);
    if (play->blame_conn && blame_find_last_on(play, record) &&
        record->returned != 0 && call_family(record->call) == FAMILY_POLL)
        return true; /* it was told something, and served it no more */
    return blame_find_blocked(play, record);
}

/* An end that does not come: what should have been the end, for a client; a
 * failure that was injected, or where its first thread waits, for a server. */
static bool find_no_end(struct play *play, struct trace_record *record)
{
    if (play->step->is_client)
        return blame_find_end(play, record) || blame_find_blocked(play, record);
    if (play->clients == 0)
        return blame_find_start(play, record);
    return blame_find_injected(play, record) ||
           blame_find_blocked_first(play, record);
}

static bool find_by_rule(struct play *play, struct trace_record *record)
{
    switch (play->blame) {
    case BLAME_BY_ITSELF:
        return find_by_itself(play, record);
    case BLAME_UNSAFE:
        return trace_find_call(play->program->trace, CALL_unsafe, record);
    case BLAME_ERRNO:
        return blame_find_spoiler(play, record) || find_by_itself(play, record);
    case BLAME_CHILDREN:
        return blame_find_reaper(play, record);
    case BLAME_PROCESSES:
        return blame_find_lingerer(play, record);
    case BLAME_GONE:
        return blame_find_childs_exit(play, record);
    case BLAME_THREADS:
        return blame_find_thread(play, record);
    case BLAME_DESCRIPTOR:
        return blame_find_descriptor(play, record);
    case BLAME_HOLDER:
        return (!died(play) && !play->spins &&
                blame_find_holder(play, record)) ||
               find_by_itself(play, record);
    case BLAME_LISTENER:
        return died(play) ? blame_find_death(play, record)
                          : blame_find_injected(play, record) ||
                                blame_find_listener(play, record);
    case BLAME_END:
        return died(play) || play->spins ? find_by_itself(play, record)
                                         : find_no_end(play, record);
    case BLAME_BYTES:
        return blame_find_bytes(play, record);
    case BLAME_RESET:
        return (!died(play) && blame_find_reset(play, record)) ||
               find_by_itself(play, record);
    case BLAME_START:
        return blame_find_start(play, record) || find_by_itself(play, record);
    case BLAME_EXIT:
        return died(play) && blame_find_death(play, record);
    case BLAME_MEMORY:
        return blame_find_allocation(play, record);
    case BLAME_WAKE:
        return blame_find_wake(play, record);
    case BLAME_LINE:
    case BLAME_STATUS:
        if ((died(play) && play->program->status != 0) || play->spins)
            return find_by_itself(play, record);
        return (play->blame == BLAME_STATUS &&
                blame_find_status(play, record)) ||
               blame_find_line(play, record);
    case BLAME_NOTHING:
        break;
    }
    return false;
}

static void explain_lock(struct verdict *verdict, enum blame_lock lock)
{
    verdict->why = "Who waits for a lock that is never unlocked waits for "
                   "ever: pthread_mutex_lock(3).";
    verdict->hint = "Follow each way from the lock to its unlock: by return, "
                    "goto, break and continue, too.";
    if (lock == LOCK_COPIED) {
        verdict->why = "fork(2) copies each lock as it is then; nobody unlocks "
                       "the child's copy: pthread_atfork(3).";
        verdict->hint = "What may be locked, by whichever thread, when fork() "
                        "is called?";
    }
}

/* A lock that is never unlocked is behind whatever it stops. */
static bool find_lock(struct play *play, struct trace_record *record)
{
    enum blame_lock lock =
        play->hangs ? blame_find_lock(play, record) : LOCK_NONE;

    if (lock != LOCK_NONE)
        explain_lock(play->verdict, lock);
    return lock != LOCK_NONE;
}

void blame_fill(struct play *play)
{
    struct trace_record record;

    if (find_lock(play, &record) || find_by_rule(play, &record))
        blame_stack(play, record.caller, TRACE_CALLERS);
}
