/* sweep.c - the work list: record, enumerate, play and judge, queue what is
 * new. */
#define _GNU_SOURCE
#include "sweep_internal.h"

#include "blame.h"
#include "sandbox.h"

#include <errno.h>

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define WORK_MOST  1024 /* plans for one class of one step */
#define DEPTH      2    /* failures on top of one another */
#define SITES      256
#define GROUPS     16
#define LASTING    3 /* calls that a lasting shortage hits */
#define POLLS_MOST 3 /* readiness calls differ in number; the first do */

/* A plan to play: one failure, or a second one behind it. */
struct work {
    struct fault fault[DEPTH];
    unsigned depth;
    const struct failure *failure; /* the last one's row */
};

/* Failures that did harm at one line of the submission. */
struct group {
    char place[224];
    unsigned harmed, tried;
    char example[512];
    char plan[200];
};

struct sweep {
    struct play *play; /* the row's: its verdict is the sweep's */
    enum failure_class class;
    struct scene_baseline baseline;
    struct work work[WORK_MOST];
    size_t works, cut_off;
    uint64_t site[SITES]; /* call sites seen so far */
    size_t sites;
    struct group group[GROUPS];
    size_t groups;
    unsigned injected, survived;
    uint16_t next_port;
};

/* ---- Enumerate ---- */

/* How often a call of that family has counted on that connection so far. */
struct counter {
    int family, conn;
    uint32_t count;
};

#define COUNTERS 128
struct counters {
    struct counter counter[COUNTERS];
    size_t used;
};

static uint32_t count_call(struct counters *counters, int family, int conn)
{
    for (size_t i = 0; i < counters->used; i++)
        if (counters->counter[i].family == family &&
            counters->counter[i].conn == conn)
            return ++counters->counter[i].count;
    if (counters->used == COUNTERS)
        return 0;
    counters->counter[counters->used++] = (struct counter){family, conn, 1};
    return 1;
}

static int family_of(const struct trace_record *record)
{
    if (record->call == CALL_splice)
        return record->arg[1] ? FAMILY_READ : FAMILY_WRITE;
    return call_family(record->call);
}

static bool on_connection(int family)
{
    return family == FAMILY_READ || family == FAMILY_WRITE ||
           family == FAMILY_SHUTDOWN || family == FAMILY_SETSOCKOPT;
}

/* The calls that a fault plan counts: those that had something to do. */
static bool counts(const struct trace_record *record, int family)
{
    if (record->returned == 0 || record->caller[0] == 0)
        return false;
    if (on_connection(family) && record->conn <= 0)
        return false;
    return !(record->error == EAGAIN && !record->injected);
}

/* How far the recorded run has come at a call. */
enum stage { STAGE_STARTING, STAGE_LISTENING, STAGE_SERVING };

static bool fits(const struct sweep *sweep, const struct failure *failure,
                 const struct trace_record *record, enum stage stage)
{
    enum failure_class class = failure->class;

    /* Before the first client comes, a shortage may end the run. */
    if (class == CLASS_RESOURCE && failure->family != FAMILY_ACCEPT &&
        stage != STAGE_SERVING)
        class = CLASS_STARTUP;
    else if (class == CLASS_STARTUP && stage != STAGE_STARTING)
        return false;
    if (class != sweep->class)
        return false;
    if (failure->client_only && !sweep->play->step->is_client)
        return false;
    if (failure->value == EPIPE && !sweep->play->step->sweep.survives_sigpipe)
        return false;
    return failure->when != WHEN_LONGER || record->result > 1;
}

static bool is_lasting_twin(const struct work *work, const struct failure *row)
{
    return row->lasts && work->fault[work->depth - 1].last ==
                             work->fault[work->depth - 1].first;
}

static void queue(struct sweep *sweep, const struct work *before,
                  const struct failure *failure, int conn, uint32_t n,
                  bool lasting)
{
    struct work work = {.depth = 0};

    if (sweep->works == WORK_MOST) {
        sweep->cut_off++;
        return;
    }
    if (before)
        work = *before;
    work.failure = failure;
    struct fault *fault = &work.fault[work.depth++];
    fault->family = (uint16_t)failure->family;
    fault->conn = failure->on_connection ? conn : FAULT_CONN_ANY;
    fault->first = n;
    fault->last = lasting ? n + LASTING - 1 : n;
    fault->action = failure->action;
    fault->value = failure->value;
    sweep->work[sweep->works++] = work;
}

static void queue_failures(struct sweep *sweep, const struct work *before,
                           const struct trace_record *record, int family,
                           uint32_t n, enum stage stage)
{
    if (n == 0 || (family == FAMILY_POLL && n > POLLS_MOST))
        return;
    for (size_t i = 0; i < catalogue_count; i++) {
        const struct failure *failure = &catalogue[i];

        if ((int)failure->family != family ||
            !fits(sweep, failure, record, stage))
            continue;
        queue(sweep, before, failure, record->conn, n, false);
        if (failure->lasts &&
            is_lasting_twin(&sweep->work[sweep->works - 1], failure))
            queue(sweep, before, failure, record->conn, n, true);
    }
}

static bool is_new_site(struct sweep *sweep, uint64_t site)
{
    for (size_t i = 0; i < sweep->sites; i++)
        if (sweep->site[i] == site)
            return false;
    if (sweep->sites == SITES)
        return false;
    sweep->site[sweep->sites++] = site;
    return true;
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

/* Queues what the run that just ended has shown: all of the recorded run;
 * of a run with a failure, the calls at sites never seen before. */
static void enumerate(struct sweep *sweep, struct trace *trace,
                      const struct work *before)
{
    struct counters counters = {.used = 0};
    uint32_t newest = trace_newest(trace);
    struct trace_record record;
    enum stage stage = STAGE_STARTING;

    for (uint32_t serial = trace_oldest(newest) + 1; serial <= newest;
         serial++) {
        if (!trace_get(trace, serial, &record))
            continue;
        int family = family_of(&record);
        if (!counts(&record, family))
            continue;
        uint32_t n = count_call(&counters, family,
                                on_connection(family) ? record.conn : 0);
        bool is_new = is_new_site(sweep, record.caller[0]);
        if (!before || (is_new && before->depth < DEPTH && !record.injected))
            queue_failures(sweep, before, &record, family, n, stage);
        stage = next_stage(stage, family, &record);
    }
}

/* ---- Play ---- */

static char *format_plan(const struct work *work, char *text, size_t size)
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

static void plan(struct play *play, const struct work *work)
{
    if (work)
        play_plan(play, work->fault, work->depth);
}

static bool all_fired(struct play *play)
{
    for (unsigned i = 0; i < play->faults; i++)
        if (!play_fired(play, i))
            return false;
    return true;
}

/* One run in a play of its own, whose failing ends it and not the sweep.
 * Returns whether the failure fired; `verdict` says how it went. */
static bool play_once(struct sweep *sweep, const struct work *work,
                      struct verdict *verdict)
{
    struct play *outer = sweep->play;
    struct play *play = calloc(1, sizeof(*play));
    struct scene scene = {play, &sweep->baseline, sweep->class, work != NULL};
    jmp_buf escape;
    bool fired;

    memset(verdict, 0, sizeof(*verdict));
    if (!play)
        return false;
    play->step = outer->step;
    play->row = outer->row;
    play->verdict = verdict;
    play->program_name = outer->program_name;
    play->binary = outer->binary;
    play->escape = &escape;
    play_open(play, outer->program, sandbox_port(&sweep->next_port));
    if (setjmp(escape) == 0) {
        plan(play, work);
        scene_play(&scene);
        if (!work)
            scene_measure(play, &sweep->baseline);
        verdict->status = VERDICT_PASS;
    }
    fired = all_fired(play);
    if (fired || !work)
        enumerate(sweep, play->program->trace, work);
    play_end(play);
    free(play);
    return fired;
}

/* ---- Report ---- */

static struct group *group_of(struct sweep *sweep,
                              const struct verdict *verdict)
{
    char place[224];

    if (verdict->file[0])
        snprintf(place, sizeof(place), "%s:%d %s()", verdict->file,
                 verdict->line, verdict->function);
    else
        snprintf(place, sizeof(place), "no line");
    for (size_t i = 0; i < sweep->groups; i++)
        if (strcmp(sweep->group[i].place, place) == 0)
            return &sweep->group[i];
    if (sweep->groups == GROUPS)
        return &sweep->group[GROUPS - 1];
    memcpy(sweep->group[sweep->groups].place, place, sizeof(place));
    return &sweep->group[sweep->groups++];
}

static void note_harm(struct sweep *sweep, const struct work *work,
                      const struct verdict *verdict)
{
    struct group *group = group_of(sweep, verdict);

    if (group->harmed++ > 0)
        return;
    snprintf(group->example, sizeof(group->example), "%.300s; %.200s",
             verdict->expected, verdict->came);
    format_plan(work, group->plan, sizeof(group->plan));
    if (sweep->play->verdict->status != VERDICT_NONE)
        return;
    /* The first one in full: it is the row's verdict. */
    *sweep->play->verdict = *verdict;
    sweep->play->verdict->has_obligation = true;
    sweep->play->verdict->obligation = failure_obligation(work->failure);
}

static void run_list(struct sweep *sweep)
{
    struct verdict *verdict = malloc(sizeof(*verdict));

    for (size_t i = 0; verdict && i < sweep->works; i++) {
        const struct work work = sweep->work[i];

        if (!play_once(sweep, &work, verdict))
            continue; /* it could not happen here */
        sweep->injected++;
        if (verdict->status == VERDICT_PASS)
            sweep->survived++;
        else
            note_harm(sweep, &work, verdict);
    }
    free(verdict);
}

static void tell(struct sweep *sweep)
{
    struct verdict *verdict = sweep->play->verdict;
    size_t at = 0, size = sizeof(verdict->came);

    verdict->injected = sweep->injected;
    verdict->survived = sweep->survived;
    if (sweep->survived == sweep->injected)
        return;
    verdict->status = VERDICT_FAIL;
    at += (size_t)snprintf(verdict->came + at, size - at,
                           "survived %u of %u injected failures",
                           sweep->survived, sweep->injected);
    for (size_t i = 0; i < sweep->groups && at < size; i++) {
        const struct group *group = &sweep->group[i];

        at += (size_t)snprintf(
            verdict->came + at, size - at, "\n%s: harm %u times, as by %s: %s",
            group->place, group->harmed, group->plan, group->example);
    }
    snprintf(verdict->plan, sizeof(verdict->plan), "%s", sweep->group[0].plan);
}

static void sweep_class(struct play *play, enum failure_class class)
{
    struct sweep *sweep = calloc(1, sizeof(*sweep));
    struct verdict recorded;

    if (!sweep)
        return;
    sweep->play = play;
    sweep->class = class;
    sweep->next_port = (uint16_t)(play->port + 1);
    play_once(sweep, NULL, &recorded);
    if (recorded.status == VERDICT_PASS) {
        run_list(sweep);
        tell(sweep);
    } else {
        *play->verdict = recorded; /* it fails without any failure */
    }
    free(sweep);
    if (play->verdict->status != VERDICT_NONE)
        play_end_failed(play);
}

static void sweep_transparent(struct play *play)
{
    sweep_class(play, CLASS_TRANSPARENT);
}

static void sweep_connection(struct play *play)
{
    sweep_class(play, CLASS_CONNECTION);
}

static void sweep_resource(struct play *play)
{
    sweep_class(play, CLASS_RESOURCE);
}

static void sweep_startup(struct play *play)
{
    sweep_class(play, CLASS_STARTUP);
}

static const struct step_case sweep_cases[] = {
    {.name = "compiles",
     .obligation = OBLIGATION_build,
     .why = "What does not compile cannot be run.",
     .hint = "The compiler's first error is the one to read."},
    {.name = "survives_every_transparent_failure",
     .obligation = OBLIGATION_partial,
     .points = 1,
     .why = "Short counts, interruptions and clients that gave up are no "
            "errors: whoever goes on loses nothing.",
     .hint = "After each call: how much did it do, and what is left to do?",
     .play = sweep_transparent},
    {.name = "survives_every_connection_failure",
     .obligation = OBLIGATION_reset,
     .points = 1,
     .why = "A connection that breaks concerns the two at its ends.",
     .hint = "What must be closed, freed or ended on this way out, too?",
     .play = sweep_connection},
    {.name = "survives_every_shortage",
     .obligation = OBLIGATION_accept,
     .points = 1,
     .why = "A shortage of descriptors, processes or memory passes.",
     .hint = "Who can be turned away, so that all others stay?",
     .play = sweep_resource},
    {.name = "reports_every_failure_to_start",
     .obligation = OBLIGATION_startup,
     .points = 1,
     .why = "Who cannot start says why on stderr, and exits with 1.",
     .hint = "Is each call looked at before the next is made?",
     .play = sweep_startup},
};

struct step sweep_step(const struct step *step)
{
    struct step swept = *step;

    swept.cases = sweep_cases;
    swept.count = STEP_COUNT(sweep_cases);
    swept.points = 4;
    return swept;
}

/* ---- One plan, typed by hand or printed by a sweep ---- */

/* The dearest class of the plan's failures says what may be lost. */
static enum failure_class class_of_plan(const struct trace *trace)
{
    enum failure_class class = CLASS_TRANSPARENT;

    for (unsigned i = 0; i < trace_faults(trace); i++)
        for (size_t k = 0; k < catalogue_count; k++) {
            const struct fault *fault = &trace->fault[i];
            int family = fault->call != CALL_none
                             ? (int)call_family(fault->call)
                             : fault->family;

            if ((int)catalogue[k].family == family &&
                (int)catalogue[k].action == fault->action &&
                catalogue[k].value == fault->value &&
                catalogue[k].class > class)
                class = catalogue[k].class;
        }
    return class;
}

static void play_scene(struct play *play)
{
    const struct scene_baseline unknown = {.known = false};
    struct scene scene = {play, &unknown, class_of_plan(play->program->trace),
                          true};

    scene_play(&scene);
    expect_fired(play, "the program makes the call that is planned to fail");
}

struct step sweep_scene(const struct step *step, const char *plan)
{
    static struct step_case cases[2];
    struct step scene = *step;

    cases[0] = sweep_cases[0];
    cases[1] = (struct step_case){
        .name = "scene",
        .obligation = OBLIGATION_partial,
        .points = 1,
        .why = "The sweep's scene, with the plan that was asked for.",
        .hint = "Read the story from its end.",
        .faults = plan,
        .play = play_scene};
    scene.cases = cases;
    scene.count = 2;
    return scene;
}
