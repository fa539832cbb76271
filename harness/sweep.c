/* sweep.c - the rounds: record, play what is on the list, queue what is new. */
#define _GNU_SOURCE
#include "sweep_internal.h"

#include "sandbox.h"
#include "source.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* ---- One run ---- */

static void plan(struct play *play, const struct work *work)
{
    play->program->trace->recording = true;
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

/* The plan of a run is the sweep's, not its row's. */
static const struct step_case nothing_fails = {.name = "scene"};

static struct play *new_play(const struct sweep *sweep, struct verdict *verdict)
{
    const struct play *row = sweep->play;
    struct play *play = calloc(1, sizeof(*play));

    if (!play)
        return NULL;
    play->step = row->step;
    play->row = &nothing_fails;
    play->verdict = verdict;
    play->program_name = row->program_name;
    play->binary = row->binary;
    play->interposer = row->interposer;
    return play;
}

/* Its failing ends this run, and not the sweep. */
static void play_through(const struct sweep *sweep, struct play *play,
                         const struct work *work, struct outcome *outcome)
{
    const struct scene scene = {play, &sweep->baseline, sweep->list.class,
                                work != NULL};
    jmp_buf escape;

    /* cppcheck-suppress autoVariables ; the play ends with this run */
    play->escape = &escape;
    if (setjmp(escape) != 0)
        return;
    plan(play, work);
    scene_play(&scene);
    if (!work)
        scene_measure(play, &outcome->baseline);
    play_check_plan(play);
    play->verdict->status = VERDICT_PASS;
}

/* Whatever was expected when it died: it was SIGPIPE that killed it. */
static void note_sigpipe(struct play *play)
{
    if (play->verdict->status != VERDICT_FAIL ||
        !program_ended(play->program) || !WIFSIGNALED(play->program->status) ||
        WTERMSIG(play->program->status) != SIGPIPE)
        return;
    play->verdict->has_obligation = true;
    play->verdict->obligation = OBLIGATION_sigpipe;
}

/* A timer, or time-outs that are short, again and again. */
static bool waits(const struct trace *trace)
{
    return atomic_load(&trace->timer_ms) > 0 ||
           atomic_load(&trace->paused_ms) >= 1000;
}

void sweep_run(const struct sweep *sweep, struct lane *lane,
               const struct work *work, struct outcome *outcome)
{
    struct play *play = new_play(sweep, &outcome->verdict);
    uint16_t port = sandbox_port(&lane->next_port);

    if (!program_is_open(lane->program)) { /* one run took it with it */
        program_close(lane->program);
        program_open(lane->program, sweep->play->binary,
                     sweep->play->interposer);
    }
    if (!play || port == 0 || !program_is_open(lane->program)) {
        outcome->verdict.status = VERDICT_ERROR;
        snprintf(outcome->verdict.came, sizeof(outcome->verdict.came),
                 "not graded: there is no %s left",
                 !play       ? "memory"
                 : port == 0 ? "port"
                             : "room for the program");
        free(play);
        return;
    }
    play_open(play, lane->program, port);
    play_through(sweep, play, work, outcome);
    outcome->fired = all_fired(play);
    outcome->waits = waits(lane->program->trace);
    note_sigpipe(play);
    swept_calls_take(&outcome->calls, lane->program->trace, 0);
    play_end(play);
    free(play);
}

/* ---- Rounds ---- */

static void note_difference(struct sweep *sweep, const struct swept_call *call)
{
    struct source_frame frame[SOURCE_FRAMES];
    struct source *source = source_open(sweep->play->binary);
    size_t frames = source_find(source, call->site, frame, SOURCE_FRAMES);

    char conn[32] = "";

    if (call->conn > 0)
        snprintf(conn, sizeof(conn), " on connection %d", call->conn);
    snprintf(sweep->differs, sizeof(sweep->differs),
             "of two runs without failures only one called %s() at %s:%d%s, "
             "which is no fault: what hangs on chance may be left out",
             call_name(call->call), frames ? frame[0].file : "?",
             frames ? frame[0].line : 0, conn);
    source_close(source);
}

/* Returns false where the scene fails already, without any failure. */
static bool record(struct sweep *sweep, struct outcome *first)
{
    struct lane here = {sweep->play->program,
                        (uint16_t)(sweep->play->port + 1)};
    struct outcome *again = calloc(1, sizeof(*again));
    bool right = again != NULL;

    for (int i = 0; right && i < 2; i++) {
        struct outcome *outcome = i == 0 ? first : again;

        sweep_run(sweep, &here, NULL, outcome);
        right = outcome->verdict.status == VERDICT_PASS;
        sweep->baseline = first->baseline;
        sweep->waits = first->waits;
    }
    if (right) {
        const struct swept_call *differs =
            swept_calls_agree(&first->calls, &again->calls);

        if (differs)
            note_difference(sweep, differs);
    } else if (again && again->verdict.status != VERDICT_NONE) {
        first->verdict = again->verdict;
    }
    free(again);
    return right;
}

static void play_list(struct sweep *sweep)
{
    size_t played = 0;

    while (played < sweep->list.count) {
        size_t end = sweep->list.count;

        lanes_play(sweep, played, end);
        for (; played < end; played++)
            if (sweep->outcome[played].fired)
                worklist_add(&sweep->list, &sweep->outcome[played].calls,
                             &sweep->list.work[played]);
    }
}

/* The basis is not there: another case says why. */
static void skip_row(struct play *play, const struct verdict *recorded)
{
    if (recorded->status == VERDICT_ERROR) {
        *play->verdict = *recorded;
        return;
    }
    play->verdict->status = VERDICT_SKIP;
    snprintf(play->verdict->came, sizeof(play->verdict->came),
             "skipped: it goes wrong before any call is made to fail: %.600s",
             recorded->came);
}

static void sweep_class(struct play *play, enum failure_class class)
{
    const size_t size = WORK_MOST * sizeof(struct outcome);
    struct sweep *sweep = calloc(1, sizeof(*sweep));
    struct outcome *recorded = calloc(1, sizeof(*recorded));
    struct outcome *outcomes = mmap(NULL, size, PROT_READ | PROT_WRITE,
                                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (!sweep || !recorded || outcomes == MAP_FAILED)
        play_not_graded(play, "no memory");
    sweep->play = play;
    sweep->outcome = outcomes;
    sweep->list.class = class;
    sweep->list.is_client = play->step->is_client;
    sweep->list.survives_sigpipe = play->step->sweep.survives_sigpipe;
    if (record(sweep, recorded)) {
        worklist_add(&sweep->list, &recorded->calls, NULL);
        play_list(sweep);
        harm_tell(sweep);
    } else {
        skip_row(play, &recorded->verdict);
    }
    munmap(outcomes, size);
    free(recorded);
    free(sweep);
    if (play->verdict->status != VERDICT_PASS)
        play_end_failed(play);
}

void sweep_transparent(struct play *play)
{
    sweep_class(play, CLASS_TRANSPARENT);
}

void sweep_connection(struct play *play)
{
    sweep_class(play, CLASS_CONNECTION);
}

void sweep_resource(struct play *play)
{
    sweep_class(play, CLASS_RESOURCE);
}

void sweep_startup(struct play *play)
{
    sweep_class(play, CLASS_STARTUP);
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

/* What the program holds without any failure is known as in the sweep. */
static struct scene_baseline measure_first(struct play *play)
{
    struct lane here = {play->program, (uint16_t)(play->port + 1)};
    struct sweep *sweep = calloc(1, sizeof(*sweep));
    struct outcome *recorded = calloc(1, sizeof(*recorded));
    const struct step *scheduled = play->step;
    struct step usual = *play->step;

    if (!sweep || !recorded)
        play_not_graded(play, "no memory");
    usual.sweep.schedule = NULL;
    sweep->play = play;
    play->step = &usual;
    sweep_run(sweep, &here, NULL, recorded);
    play->step = scheduled;
    const struct scene_baseline baseline = recorded->baseline;
    free(recorded);
    free(sweep);
    trace_reset(play->program->trace);
    play->acts = play->faults = 0;
    if (play->row->faults)
        play_fault(play, play->row->faults);
    return baseline;
}

static void play_scene(struct play *play)
{
    const struct scene_baseline baseline = measure_first(play);
    const struct scene scene = {play, &baseline,
                                class_of_plan(play->program->trace), true};

    scene_play(&scene);
    expect_fired(play, "the program makes the call that is planned to fail");
}

struct step sweep_scene(const struct step *step, const char *plan)
{
    static struct step_case cases[2];
    struct step scene = *step;

    cases[0] = step->cases[0];
    cases[1] = (struct step_case){
        .name = "scene",
        .obligation = OBLIGATION_partial,
        .points = 1,
        .why = "The sweep's scene, with the plan that was asked for.",
        .hint = "Read the story from its end.",
        .faults = *plan ? plan : NULL,
        .play = play_scene};
    scene.cases = cases;
    scene.count = 2;
    return scene;
}
