/* run.c - one step: build the submission, run the table as cmocka tests. */
#define _GNU_SOURCE
#include "run_internal.h"

#include "blame.h"
#include "clock.h"
#include "sandbox.h"
#include "story.h"
#include "watchdog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct run run;

static bool is_wanted(const struct step_case *row)
{
    const char *pattern = run.options->pattern;

    if (row->tool != TOOL_NONE ? run.options->without_valgrind
                               : run.options->only_valgrind)
        return false;
    return !pattern || fnmatch(pattern, row->name, FNM_EXTMATCH) == 0;
}

static size_t index_of(const struct step *step, const char *name)
{
    for (size_t i = 0; i < step->count; i++)
        if (strcmp(step->cases[i].name, name) == 0)
            return i;
    return step->count;
}

static struct verdict *verdict_of(const struct step_case *row)
{
    return &run.result->verdict[row - run.result->step->cases];
}

void run_not_graded(struct verdict *verdict, const char *reason)
{
    memset(verdict, 0, sizeof(*verdict));
    verdict->status = VERDICT_ERROR;
    snprintf(verdict->came, sizeof(verdict->came), "not graded: %s", reason);
}

/* ---- One case ---- */

/* Returns whether there is one to play with; else the step is settled. */
static bool open_program(void)
{
    char words[256];

    if (program_open(&run.program, run.binary, run.interposer) == 0)
        return true;
    int error = errno, status = run.program.status;
    const char *limit =
        WIFSIGNALED(status) ? program_limit_text(WTERMSIG(status)) : "";

    if (*limit) {
        snprintf(words, sizeof(words),
                 "the program does not come to its main()%s", limit);
        run_refuse(words, "A program begins with its main().",
                   "What runs before main(), a constructor perhaps?");
    } else {
        snprintf(words, sizeof(words),
                 "the program goes around libc: it did not load the kit's "
                 "library (%s)",
                 strerror(error));
        run_refuse_around(words);
    }
    return false;
}

/* Where the case it builds on did not pass, it would be failed with a
 * riddle. A case that was left out by CASE= is no reason. */
static bool basis_failed(const struct step_case *row)
{
    if (!row->needs)
        return false;
    const struct step *step = run.result->step;
    size_t basis = index_of(step, row->needs);
    assert_true(basis < step->count);
    enum verdict_status status = run.result->verdict[basis].status;
    return status != VERDICT_PASS && status != VERDICT_NONE;
}

static bool has_failed(void)
{
    for (size_t i = 0; i < run.result->step->count; i++)
        if (run.result->verdict[i].status == VERDICT_FAIL)
            return true;
    return false;
}

static void skip_for(const struct step_case *row, const char *reason)
{
    struct verdict *verdict = verdict_of(row);

    verdict->status = VERDICT_SKIP;
    snprintf(verdict->came, sizeof(verdict->came), "skipped: %s", reason);
    skip();
}

static int set_up(void **state)
{
    const struct step_case *row = *state;
    struct verdict *verdict = verdict_of(row);

    memset(verdict, 0, sizeof(*verdict));
    run.begun_ns = clock_ns();
    run.play = calloc(1, sizeof(*run.play));
    if (!run.play)
        return -1;
    run.play->step = run.result->step;
    run.play->row = row;
    run.play->verdict = verdict;
    run.play->program_name = run.result->step->name;
    run.play->binary = run.binary;
    run.play->interposer = run.interposer;
    return 0;
}

static void play_case(void **state)
{
    const struct step_case *row = *state;
    char reason[160];

    if (run.options->first_failure && has_failed())
        skip_for(row, "a case before it failed");
    if (basis_failed(row)) {
        snprintf(reason, sizeof(reason), "it builds on %s", row->needs);
        skip_for(row, reason);
    }
    if (run_is_watched(row))
        return;
    if (run_use_tool(row->tool) < 0) {
        run_not_graded(run.play->verdict, run.memcheck.trouble);
        return;
    }
    run.play->binary = run_binary();
    uint16_t port = sandbox_port(&run.next_port);
    assert_int_not_equal(port, 0);
    play_open(run.play, &run.program, port);
    row->play(run.play);
    play_check_plan(run.play);
    run.play->verdict->status = VERDICT_PASS;
    run.play->verdict->story[0] = '\0';
}

static void write_story(int to, const struct story *story, const char *parting,
                        bool json)
{
    int fd = dup(to);
    FILE *file = ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0
                     ? fdopen(fd, "w")
                     : NULL;

    if (!file) {
        close(fd);
        return;
    }
    if (json)
        story_json(file, story, parting);
    else
        story_print(file, story, run.options->story_width, parting);
    fclose(file);
}

static void keep_whole_story(const struct verdict *verdict)
{
    char parting[2048] = "";
    struct story story;

    if (run.options->story[0] < 0 || story_take(&story, run.play) < 0)
        return;
    if (verdict->status == VERDICT_FAIL)
        snprintf(parting, sizeof(parting), "%s", verdict->came);
    write_story(run.options->story[0], &story, parting, false);
    write_story(run.options->story[1], &story, parting, true);
    story_release(&story);
    blame_end(run.play);
}

static int tear_down(void **state)
{
    const struct step_case *row = *state;
    struct verdict *verdict = verdict_of(row);

    if (row->tool != TOOL_NONE && verdict->status != VERDICT_SKIP &&
        verdict->status != VERDICT_ERROR)
        run_judge_watched(row, verdict);
    run.went_around |= run.play->went_around;
    if (run.play->program) {
        keep_whole_story(verdict);
        run.result->hides_calls |=
            atomic_load(&run.program.trace->stdio_sockets) > 0;
        play_end(run.play);
    }
    free(run.play);
    run.play = NULL;
    if (verdict->status == VERDICT_NONE) {
        verdict->status = VERDICT_ERROR;
        snprintf(verdict->came, sizeof(verdict->came),
                 "not graded: the kit itself failed (see the log of this "
                 "step beside the report)");
    }
    verdict->duration_ms = (double)(clock_ns() - run.begun_ns) / 1e6;
    run.result->played++;
    return 0;
}

static void run_table(void)
{
    const struct step *step = run.result->step;
    struct CMUnitTest tests[RESULT_CASES];
    size_t count = 0;

    for (size_t i = 0; i < step->count; i++)
        if (step->cases[i].play && is_wanted(&step->cases[i]))
            tests[count++] =
                (struct CMUnitTest){step->cases[i].name, play_case, set_up,
                                    tear_down, (void *)&step->cases[i]};
    _cmocka_run_group_tests(step->name, tests, count, NULL, NULL);
}

/* ---- The whole step ---- */

void run_settle(enum verdict_status first, const char *words)
{
    const struct step *step = run.result->step;

    for (size_t i = 0; i < step->count; i++) {
        struct verdict *verdict = &run.result->verdict[i];

        if (!is_wanted(&step->cases[i]) && i > 0)
            continue;
        memset(verdict, 0, sizeof(*verdict));
        verdict->status = i == 0 ? first : VERDICT_SKIP;
        snprintf(verdict->came, sizeof(verdict->came), "%s",
                 i == 0 ? words : "skipped: see the step's first case");
    }
    snprintf(run.result->note, sizeof(run.result->note), "%s", words);
}

void run_refuse(const char *words, const char *why, const char *hint)
{
    run_settle(VERDICT_FAIL, words);
    run.result->verdict[0].why = why;
    run.result->verdict[0].hint = hint;
}

void run_refuse_around(const char *words)
{
    run_refuse(words,
               "What is judged is what the program calls, and how it takes it "
               "when a call fails.",
               "read(2), recv(2), readv(2) and recvmsg(2) are observed, as are "
               "write(2) and its kin.");
}

static bool is_action(const struct trace_record *record, const void *arg)
{
    (void)arg;
    switch (call_family(record->call)) {
    case FAMILY_CONNECT:
    case FAMILY_ACCEPT:
    case FAMILY_POLL:
    case FAMILY_READ:
    case FAMILY_WRITE:
        return true;
    default:
        return false;
    }
}

static bool has_ended_or_waits(struct play *play, void *arg)
{
    (void)arg;
    return program_ended(play->program) || proof_is_calm(play);
}

/* Starts it, and waits until it has ended or has nothing to do. No verdict
 * comes of it. */
static bool ends_by_itself(struct play *play)
{
    static jmp_buf escape;

    play->escape = &escape;
    if (setjmp(escape) == 0) {
        play_start(play, play->step->is_client
                             ? (const char *const[]){"127.0.0.1",
                                                     play->port_text, NULL}
                             : (const char *const[]){play->port_text, NULL});
        play_until(play, has_ended_or_waits, NULL);
    }
    return play->verdict->status == VERDICT_NONE &&
           program_ended(play->program);
}

/* A program that ends by itself, in silence, before it has waited for or
 * talked to anybody: the stub. Told once, at once. */
static bool is_not_started(void)
{
    const struct step_case probe = {.name = "probe"};
    struct verdict verdict = {0};
    struct play play = {.step = run.result->step,
                        .row = &probe,
                        .verdict = &verdict,
                        .program_name = run.result->step->name};
    struct trace_record record;

    play_open(&play, &run.program, sandbox_port(&run.next_port));
    bool ended = ends_by_itself(&play);
    play_pump(&play);
    bool blank = ended && WIFEXITED(run.program.status) &&
                 play.errors.len == 0 &&
                 !trace_find_last(run.program.trace, is_action, NULL, &record);
    play_end(&play);
    return blank;
}

static void play_step(void)
{
    const struct step *step = run.result->step;
    char words[256];

    if (!open_program())
        return;
    if (is_not_started()) {
        run.result->not_started = true;
        snprintf(words, sizeof(words), "not started: %s ends before it %s",
                 step->source,
                 step->is_client ? "connects" : "waits for a client");
        run_settle(VERDICT_SKIP, words);
    } else {
        run_table();
        if (run.went_around)
            run_refuse_around(
                "the program goes around libc: clients got bytes that no "
                "call of it has read, and what cannot be observed cannot "
                "be graded");
    }
    memcheck_close(&run.memcheck, NULL);
    findings_release(&run.findings);
    program_close(&run.program);
}

int run_step(struct step_result *result, const struct run_options *options)
{
    uint64_t begun_ns = clock_ns();

    memset(&run, 0, sizeof(run));
    run.result = result;
    run.options = options;
    run.next_port = (uint16_t)(12000 + 1000 * (result->step->name[0] % 16));
    signal(SIGPIPE, SIG_IGN);
    if (watchdog_start(WATCHDOG_S) != 0)
        return -1;
    if (run_build())
        play_step();
    result->duration_ms = (double)(clock_ns() - begun_ns) / 1e6;
    result->done = true;
    return 0;
}
