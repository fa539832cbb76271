/* live_calls.c - the calls of a program that runs. */
#include "live_calls.h"

#include "play_internal.h"
#include "story.h"

static struct trace *trace_of(const struct live_calls *calls)
{
    return calls->play->program->trace;
}

static uint32_t entered(const struct live_calls *calls)
{
    return atomic_load(&trace_of(calls)->entries);
}

static void show(struct live_calls *calls, const struct trace_record *record)
{
    struct story_row row;

    if (story_call(&row, calls->play, record))
        fprintf(stderr, "%-11s %s%s%s%s\n", row.who, row.injected ? "! " : "",
                row.act, row.where[0] ? "  " : "", row.where);
}

static bool is_done(const struct trace_record *record)
{
    return record->returned != 0 || call_family(record->call) == FAMILY_EXIT;
}

/* Takes in the calls that were entered since. Returns how many were
 * overwritten before we came to look. */
static uint32_t take_new(struct live_calls *calls)
{
    uint32_t newest = entered(calls), lost = 0;

    if (newest - calls->next >= TRACE_RECORDS && newest >= calls->next) {
        lost = newest - calls->next - TRACE_RECORDS + 1;
        calls->next += lost;
    }
    for (; calls->next <= newest && calls->opens < LIVE_OPEN; calls->next++)
        calls->open[calls->opens++] = (struct live_call){calls->next, false};
    return lost;
}

/* What has returned is shown; what was overwritten meanwhile is counted. */
static uint32_t show_returned(struct live_calls *calls)
{
    struct trace_record record;
    size_t kept = 0;
    uint32_t lost = 0;

    for (size_t i = 0; i < calls->opens; i++) {
        struct live_call call = calls->open[i];

        if (entered(calls) - call.serial >= TRACE_RECORDS)
            lost += !call.told;
        else if (trace_get(trace_of(calls), call.serial, &record) &&
                 is_done(&record))
            show(calls, &record);
        else
            calls->open[kept++] = call;
    }
    calls->opens = kept;
    return lost;
}

void live_calls_begin(struct live_calls *calls, struct play *play)
{
    *calls = (struct live_calls){.play = play, .next = 1};
}

void live_calls_show_returned(struct live_calls *calls)
{
    uint32_t lost;

    do {
        lost = take_new(calls);
        lost += show_returned(calls);
        if (lost > 0)
            fprintf(stderr, "-- %u calls came too fast to be shown\n", lost);
    } while (calls->next <= entered(calls) && calls->opens < LIVE_OPEN);
}

void live_calls_show_blocked(struct live_calls *calls)
{
    struct trace_record record;

    for (size_t i = 0; i < calls->opens; i++)
        if (!calls->open[i].told &&
            trace_get(trace_of(calls), calls->open[i].serial, &record)) {
            calls->open[i].told = true;
            show(calls, &record);
        }
}
