/* worklist.c - which call of a run can fail how. */
#define _GNU_SOURCE
#include "worklist.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define POLLS_MOST 3 /* readiness calls differ in number; the first do */

/* ---- What a run has shown ---- */

static bool is_on_connection(int family)
{
    return family == FAMILY_READ || family == FAMILY_WRITE ||
           family == FAMILY_SHUTDOWN || family == FAMILY_SETSOCKOPT;
}

static int family_of(const struct trace_record *record)
{
    if (record->call == CALL_splice)
        return record->arg[1] ? FAMILY_READ : FAMILY_WRITE;
    return call_family(record->call);
}

/* The calls that a fault plan counts: those that had something to do. */
static bool counts(const struct trace_record *record, int family)
{
    if (record->returned == 0 || record->caller[0] == 0)
        return false;
    if (is_on_connection(family) && record->conn <= 0)
        return false;
    return !(record->error == EAGAIN && !record->injected);
}

/* How many calls of a family on a connection could have failed so, so far. */
struct tally {
    int family, conn;
    uint32_t nth[WHEN_COUNT];
};

#define TALLIES 128
struct tallies {
    struct tally tally[TALLIES];
    size_t used;
};

static struct tally *tally_of(struct tallies *tallies, int family, int conn)
{
    for (size_t i = 0; i < tallies->used; i++)
        if (tallies->tally[i].family == family &&
            tallies->tally[i].conn == conn)
            return &tallies->tally[i];
    if (tallies->used == TALLIES)
        return NULL;
    tallies->tally[tallies->used] =
        (struct tally){.family = family, .conn = conn};
    return &tallies->tally[tallies->used++];
}

static void number(struct swept_call *call, struct tally *tally,
                   const struct trace_record *record)
{
    for (int when = 0; when < WHEN_COUNT; when++) {
        if (!(record->could & (1u << when)) ||
            (when == WHEN_LONGER &&
             (record->result <= 1 || record->result <= record->seen)))
            continue;
        call->nth[when] = ++tally->nth[when];
    }
}

static bool is_repetition(const struct swept_calls *calls,
                          const struct swept_call *call)
{
    int same = 0;

    for (size_t i = 0; i < calls->count; i++)
        same += calls->call[i].site == call->site &&
                calls->call[i].conn == call->conn;
    return same == CALLS_EACH;
}

static enum stage next_stage(enum stage stage, int family,
                             const struct trace_record *record)
{
    if (record->result < 0)
        return stage;
    if (family == FAMILY_ACCEPT)
        return STAGE_SERVING;
    return family == FAMILY_LISTEN && stage == STAGE_STARTING ? STAGE_LISTENING
                                                              : stage;
}

void swept_calls_take(struct swept_calls *calls, struct trace *trace,
                      uint32_t since)
{
    struct tallies tallies = {.used = 0};
    uint32_t newest = trace_newest(trace);
    struct trace_record record;
    enum stage stage = STAGE_STARTING;

    calls->count = 0;
    calls->passed_over = 0;
    for (uint32_t serial = trace_oldest(newest) + 1; serial <= newest;
         serial++) {
        if (!trace_get(trace, serial, &record))
            continue;
        int family = family_of(&record);
        int conn = is_on_connection(family) ? record.conn : 0;
        struct tally *tally;
        struct swept_call call = {.site = record.caller[0] - trace->load_base,
                                  .call = record.call,
                                  .family = (uint16_t)family,
                                  .conn = conn,
                                  .stage = stage,
                                  .injected = record.injected};

        if (!counts(&record, family))
            continue;
        if (record.returned <= since) {
            stage = next_stage(stage, family, &record);
            continue;
        }
        if (!(tally = tally_of(&tallies, family, conn)))
            continue;
        number(&call, tally, &record);
        stage = next_stage(stage, family, &record);
        if (is_repetition(calls, &call) || calls->count == CALLS_MOST)
            calls->passed_over += family != FAMILY_POLL;
        else
            calls->call[calls->count++] = call;
    }
}

static bool is_same(const struct swept_call *a, const struct swept_call *b)
{
    return a->site == b->site && a->conn == b->conn && a->call == b->call &&
           memcmp(a->nth, b->nth, sizeof(a->nth)) == 0;
}

static bool is_in(const struct swept_calls *calls, const struct swept_call *one)
{
    for (size_t i = 0; i < calls->count; i++)
        if (is_same(&calls->call[i], one))
            return true;
    return false;
}

const struct swept_call *swept_calls_agree(struct swept_calls *calls,
                                           const struct swept_calls *again)
{
    static struct swept_call first;
    const struct swept_call *differs = NULL;
    size_t kept = 0;

    for (size_t i = 0; i < again->count && !differs; i++)
        if (again->call[i].family != FAMILY_POLL &&
            !is_in(calls, &again->call[i]))
            differs = &again->call[i];
    for (size_t i = 0; i < calls->count; i++) {
        const struct swept_call call = calls->call[i];

        if (is_in(again, &call)) {
            calls->call[kept++] = call;
        } else if (!differs && call.family != FAMILY_POLL) {
            first = call;
            differs = &first;
        }
    }
    calls->count = kept;
    return differs;
}

/* ---- The list ---- */

/* At that place, that failure? */
static bool is_listed(const struct worklist *list,
                      const struct failure *failure,
                      const struct swept_call *call)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->work[i].failure == failure &&
            list->work[i].call.site == call->site)
            return true;
    return false;
}

static bool is_of_class(const struct worklist *list,
                        const struct failure *failure,
                        const struct swept_call *call)
{
    enum failure_class class = failure->class;

    if (class == CLASS_STARTUP && call->stage != STAGE_STARTING)
        return false;
    if (list->class == CLASS_COUNT)
        return (list->is_client || call->stage == STAGE_SERVING) &&
               !is_listed(list, failure, call);
    /* Before the first client comes, a shortage may end the run. */
    if (class == CLASS_RESOURCE && failure->family != FAMILY_ACCEPT &&
        call->stage != STAGE_SERVING)
        class = CLASS_STARTUP;
    return class == list->class;
}

static bool fits(const struct worklist *list, const struct failure *failure,
                 const struct swept_call *call)
{
    if ((int)failure->family != call->family ||
        !is_of_class(list, failure, call))
        return false;
    if (failure->client_only && !list->is_client)
        return false;
    if (failure->value == EPIPE && !list->survives_sigpipe)
        return false;
    return call->nth[failure->when] > 0 &&
           (call->family != FAMILY_POLL ||
            call->nth[failure->when] <= POLLS_MOST);
}

static void queue(struct worklist *list, const struct work *before,
                  const struct failure *failure, const struct swept_call *call,
                  bool lasting)
{
    struct work work = {.depth = 0};

    if (list->count == WORK_MOST) {
        list->cut_off++;
        return;
    }
    if (before)
        work = *before;
    work.failure = failure;
    work.call = *call;
    struct fault *fault = &work.fault[work.depth++];
    *fault = (struct fault){
        .family = (uint16_t)failure->family,
        .conn = failure->on_connection ? call->conn : FAULT_CONN_ANY,
        .first = call->nth[failure->when],
        .last = lasting ? FAULT_FOREVER : call->nth[failure->when],
        .action = failure->action,
        .value = failure->value};
    list->work[list->count++] = work;
}

static bool is_new(struct worklist *list, uint64_t site)
{
    for (size_t i = 0; i < list->sites; i++)
        if (list->site[i] == site)
            return false;
    if (list->sites == CALLS_MOST)
        return false;
    list->site[list->sites++] = site;
    return true;
}

void worklist_add(struct worklist *list, const struct swept_calls *calls,
                  const struct work *before)
{
    list->cut_off += before ? 0 : calls->passed_over;
    for (size_t c = 0; c < calls->count; c++) {
        const struct swept_call *call = &calls->call[c];
        bool new = is_new(list, call->site);

        if (before && (!new || before->depth == WORK_DEPTH || call->injected))
            continue;
        for (size_t i = 0; i < catalogue_count; i++) {
            if (!fits(list, &catalogue[i], call))
                continue;
            queue(list, before, &catalogue[i], call, false);
            if (catalogue[i].lasts && catalogue[i].class == list->class)
                queue(list, before, &catalogue[i], call, true);
        }
    }
}

char *work_format(const struct work *work, char *text, size_t size)
{
    size_t at = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < work->depth && at < size; i++) {
        char one[96];

        at += (size_t)snprintf(text + at, size - at, "%s%s", i ? "," : "",
                               fault_format(&work->fault[i], one, sizeof(one)));
    }
    return text;
}
