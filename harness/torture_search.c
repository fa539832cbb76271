/* torture_search.c - what is played, in which order, and what is told of it. */
#define _GNU_SOURCE
#include "torture_search.h"

#include "clock.h"
#include "result.h"
#include "sweep_internal.h"
#include "torture_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ATOMS_MOST  512
#define PAIRS_MOST  20000u
#define REPETITIONS 3
#define FOREVER     UINT64_MAX

static struct {
    const struct torture_options *options;
    struct step step; /* with the schedule of the run */
    char schedule[SCHEDULE_TEXT];
    struct lane lane;
    struct sweep sweep;
    struct outcome outcome; /* of the last run */
    struct atom atom[ATOMS_MOST];
    size_t atoms;
    struct plan find[TORTURE_FINDS]; /* as small as they get */
    size_t finds;
    uint64_t ends_ns, left; /* the time and the plans */
} torture;

/* Of one kind of plans. */
struct tally {
    unsigned played;   /* and all their failures came true */
    unsigned survived; /* of them */
    unsigned idle;     /* a failure did not come true: it proves nothing */
};

/* ---- One run ---- */

static bool is_over(void)
{
    return torture.left == 0 || torture.finds >= torture.options->finds ||
           clock_ns() >= torture.ends_ns;
}

/* The machine's trouble, or the kit's. */
__attribute__((noreturn)) static void cannot(const struct verdict *verdict)
{
    *torture.sweep.play->verdict = *verdict;
    play_end_failed(torture.sweep.play);
}

/* Plays it; torture.outcome says how it went. */
static void run(const struct plan *plan)
{
    struct work work = {.depth = plan->count};

    for (unsigned i = 0; i < plan->count; i++)
        work.fault[i] = plan->atom[i].fault;
    schedule_format(&plan->schedule, torture.schedule,
                    sizeof(torture.schedule));
    torture.step.sweep.schedule =
        plan->schedule.count > 0 ? torture.schedule : NULL;
    torture.sweep.list.class = plan_class(plan);
    memset(&torture.outcome, 0, sizeof(torture.outcome));
    sweep_run(&torture.sweep, &torture.lane, plan->count > 0 ? &work : NULL,
              &torture.outcome);
    if (torture.outcome.verdict.status == VERDICT_ERROR)
        cannot(&torture.outcome.verdict);
    torture.left -= torture.left != FOREVER && torture.left > 0;
}

static bool harms(const struct plan *plan)
{
    run(plan);
    return torture.outcome.verdict.status == VERDICT_FAIL;
}

/* ---- What did harm ---- */

/* Takes away what is not needed, until nothing can be. */
static void minimise(struct plan *plan)
{
    struct plan smaller;
    unsigned way = 0;

    while (way < plan_ways(plan)) {
        if (plan_shrink(&smaller, plan, way) && harms(&smaller)) {
            *plan = smaller;
            way = 0;
        } else {
            way++;
        }
    }
}

static void print_command(const struct plan *plan)
{
    char faults[512];

    fprintf(torture.options->out, "    again     make replay STEP=%s",
            torture.step.name);
    if (plan->count > 0)
        fprintf(torture.options->out, " FAULT='%s'",
                plan_format(plan, faults, sizeof(faults)));
    if (plan->schedule.count > 0)
        fprintf(torture.options->out, " PEERS='%s'",
                schedule_format(&plan->schedule, torture.schedule,
                                sizeof(torture.schedule)));
    if (strcmp(torture.options->submission, "exercises") != 0)
        fprintf(torture.options->out, " SUBMISSION='%s'",
                torture.options->submission);
    fputc('\n', torture.options->out);
}

/* The plan that is told has just been played. */
static void tell(const struct plan *plan, const struct plan *found,
                 unsigned again)
{
    const struct verdict *verdict = &torture.outcome.verdict;

    fprintf(torture.options->out, "  HARM");
    if (verdict->file[0])
        fprintf(torture.options->out, " at %s:%d %s()", verdict->file,
                verdict->line, verdict->function);
    fprintf(torture.options->out, "\n    expected  %s\n    came      %s\n",
            verdict->expected, verdict->came);
    if (found->count + found->schedule.count >
        plan->count + plan->schedule.count)
        fprintf(torture.options->out,
                "    found     with %u failures and %zu acts of clients; made "
                "small\n",
                found->count, found->schedule.count);
    if (again < REPETITIONS)
        fprintf(torture.options->out,
                "    only      in %u of %d runs: its order is chance\n", again,
                REPETITIONS);
    print_command(plan);
    fflush(torture.options->out);
}

/* What contains a plan that did harm will do so again. */
static bool is_known(const struct plan *plan)
{
    for (size_t i = 0; i < torture.finds; i++)
        if (plan_contains(plan, &torture.find[i]))
            return true;
    return false;
}

/* It has just been found. What is told is what came of the small plan; where
 * that never did harm again, of the one that was found. */
static void note_harm(const struct plan *found)
{
    struct outcome harmful = torture.outcome;
    struct plan plan = *found;
    unsigned again = 0;

    minimise(&plan);
    for (int i = 0; i < REPETITIONS; i++)
        if (harms(&plan)) {
            harmful = torture.outcome;
            again++;
        }
    if (again == 0)
        plan = *found;
    if (is_known(&plan))
        return;
    torture.find[torture.finds++] = plan;
    torture.outcome = harmful;
    tell(&plan, found, again);
}

static void attempt(const struct plan *plan, struct tally *tally)
{
    if (is_known(plan))
        return;
    if (harms(plan)) {
        tally->played++;
        note_harm(plan);
    } else if (torture.outcome.fired) {
        tally->played++;
        tally->survived++;
    } else {
        tally->idle++;
    }
}

static void print_tally(const char *what, const struct tally *tally,
                        const char *more)
{
    fprintf(torture.options->out, "  %-18s %6u of %6u survived%s", what,
            tally->survived, tally->played, more);
    if (tally->idle > 0)
        fprintf(torture.options->out, ", %u more cannot happen", tally->idle);
    fputc('\n', torture.options->out);
    fflush(torture.options->out);
}

/* ---- One failure at a time ---- */

static void note_atom(const struct work *work)
{
    bool lasts = work->fault[0].last != work->fault[0].first;

    if (work->depth == 1 && !lasts && torture.atoms < ATOMS_MOST)
        torture.atom[torture.atoms++] =
            (struct atom){work->fault[0], torture.sweep.list.class};
}

static struct plan plan_of(const struct work *work)
{
    struct plan plan = {.count = work->depth};

    for (unsigned i = 0; i < work->depth; i++)
        plan.atom[i] = (struct atom){work->fault[i], torture.sweep.list.class};
    return plan;
}

/* The sweep's list for one class, and what turns up behind its failures. */
static void play_class(enum failure_class class,
                       const struct swept_calls *calls, struct tally *tally)
{
    struct worklist *list = &torture.sweep.list;

    memset(list, 0, sizeof(*list));
    list->class = class;
    list->is_client = torture.step.is_client;
    list->survives_sigpipe = torture.step.sweep.survives_sigpipe;
    worklist_add(list, calls, NULL);
    for (size_t i = 0; i < list->count && !is_over(); i++) {
        const struct work work = list->work[i];
        const struct plan plan = plan_of(&work);
        unsigned survived = tally->survived;

        attempt(&plan, tally);
        if (tally->survived == survived)
            continue;
        note_atom(&work);
        worklist_add(list, &torture.outcome.calls, &work);
    }
}

static void play_singles(const struct swept_calls *calls)
{
    struct tally tally = {0};

    for (int class = 0; class < CLASS_COUNT; class ++)
        play_class((enum failure_class) class, calls, &tally);
    print_tally("one by one", &tally, "");
}

/* ---- Two at a time, and at random ---- */

static void play_pair(const struct pair *pair, struct tally *tally)
{
    const struct plan plan = {
        .atom = {torture.atom[pair->one], torture.atom[pair->other]},
        .count = 2};

    attempt(&plan, tally);
}

static void play_random(uint64_t *state, size_t serving, struct tally *tally)
{
    bool usual = torture.step.is_client || draw_below(state, 2) == 0;
    enum drawn_clients clients = usual ? CLIENTS_USUAL
                                 : torture.step.sweep.survives_sigpipe
                                     ? CLIENTS_THAT_RESET
                                     : CLIENTS_IN_ORDER;
    struct plan plan;

    plan_draw(&plan, state, torture.atom, serving, clients);
    if (plan.count + plan.schedule.count > 0)
        attempt(&plan, tally);
}

/* Failures to start are the last class: what is drawn is drawn from those
 * before them. */
static size_t serving_atoms(void)
{
    size_t count = 0;

    while (count < torture.atoms && torture.atom[count].class != CLASS_STARTUP)
        count++;
    return count;
}

/* In turn: neither has to wait for the end of the other. */
static void play_pairs_and_random(void)
{
    static struct pair pairs[PAIRS_MOST];
    struct tally paired = {0}, drawn = {0};
    uint64_t state = ~torture.options->seed;
    size_t serving = serving_atoms(), next = 0;
    char more[64];

    size_t count = pairs_draw(pairs, PAIRS_MOST, torture.options->seed,
                              torture.atom, torture.atoms);
    while (!is_over() && torture.atoms > 0) {
        if (next < count)
            play_pair(&pairs[next++], &paired);
        if (!is_over())
            play_random(&state, serving, &drawn);
    }
    snprintf(more, sizeof(more), ", %zu of %zu pairs tried", next, count);
    print_tally("two at a time", &paired, more);
    print_tally("at random", &drawn, "");
}

/* ---- One step ---- */

/* Returns false where it goes wrong before anything fails. */
static bool record(struct swept_calls *calls)
{
    const struct plan nothing = {.count = 0};
    char message[2048];

    for (int i = 0; i < 2; i++) {
        if (harms(&nothing)) {
            fprintf(torture.options->out,
                    "  it goes wrong before any call fails: %s\n"
                    "  `make grade STEP=%s` says more\n",
                    verdict_message(&torture.outcome.verdict, message,
                                    sizeof(message)),
                    torture.step.name);
            return false;
        }
        torture.sweep.baseline = torture.outcome.baseline;
        if (i == 0)
            *calls = torture.outcome.calls;
        else
            swept_calls_agree(calls, &torture.outcome.calls);
    }
    return true;
}

/* The row's play: the search, for which the row's program is there. */
static void play_torture(struct play *play)
{
    const struct torture_options *options = torture.options;
    static struct swept_calls calls;

    torture.sweep.play = play;
    torture.lane = (struct lane){play->program, (uint16_t)(play->port + 1)};
    torture.left = options->plans > 0 ? options->plans : FOREVER;
    torture.ends_ns = options->plans > 0
                          ? FOREVER
                          : clock_ns() + options->seconds * 1000000000ull;
    bool right = record(&calls);
    if (right) {
        play_singles(&calls);
        play_pairs_and_random();
    }
    if (torture.finds == options->finds)
        fputs("  stopped: that is enough to begin with\n", options->out);
    fflush(options->out);
    if (right && torture.finds == 0)
        return;
    play->verdict->status = VERDICT_FAIL;
    play_end_failed(play);
}

const struct step *torture_step(const struct torture_options *options)
{
    static struct step_case cases[RESULT_CASES];
    const struct step *step = options->step;
    size_t count = 0;

    cases[count++] = step->cases[0];
    cases[count++] = (struct step_case){
        .name = "torture",
        .why = "What is survived one by one is survived together.",
        .hint = "Replay what it prints.",
        .play = play_torture};
    for (size_t i = 0; i < step->count; i++)
        if (step->cases[i].tool != TOOL_NONE)
            cases[count++] = step->cases[i];
    for (size_t i = 0; i < count; i++)
        cases[i].needs = NULL;
    torture.options = options;
    torture.step = *step;
    torture.step.cases = cases;
    torture.step.count = count;
    torture.step.sweep.every_call = true;
    return &torture.step;
}
