/* run.c - one step: build the submission, run the table as cmocka tests. */
#define _GNU_SOURCE
#include "blame.h"
#include "memcheck.h"
#include "play_internal.h"
#include "result.h"
#include "sandbox.h"
#include "story.h"
#include "watchdog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* cmocka hands a test one pointer; the rest is the run's. */
static struct {
    struct step_result *result;
    const struct run_options *options;
    struct program program;
    struct play *play;
    char binary[PATH_MAX]; /* and the library, where the sandbox has them */
    char interposer[PATH_MAX];
    uint16_t next_port;
    uint64_t begun_ns;
    bool went_around; /* libc, in one of the plays */

    /* Under valgrind: what one play found is judged by several rows. */
    enum step_tool tool; /* that `program` runs under */
    struct memcheck memcheck;
    const struct step_case *watched; /* the row that was played last */
    char watched_until[512]; /* what ended the play early; "": nothing */
    struct findings findings;
} run;

double case_score(const struct step_case *row, const struct verdict *verdict)
{
    if (verdict->status == VERDICT_PASS)
        return row->points;
    if (verdict->status != VERDICT_FAIL ||
        verdict->survived * 2 < verdict->injected || verdict->injected == 0)
        return 0;
    return floor(row->points * 4 * verdict->survived / verdict->injected) / 4;
}

double step_score(const struct step_result *step)
{
    double sum = 0;

    for (size_t i = 0; i < step->step->count; i++)
        sum += case_score(&step->step->cases[i], &step->verdict[i]);
    return sum;
}

double result_score(const struct result *result)
{
    double sum = 0;

    for (size_t i = 0; i < result->count; i++)
        if (result->step[i].chosen)
            sum += step_score(&result->step[i]);
    return sum;
}

bool case_counts(const struct step_result *step, size_t index)
{
    return step->verdict[index].status != VERDICT_NONE;
}

double result_max(const struct result *result)
{
    double sum = 0;

    for (size_t i = 0; i < result->count; i++)
        for (size_t c = 0;
             result->step[i].chosen && c < result->step[i].step->count; c++)
            if (case_counts(&result->step[i], c))
                sum += result->step[i].step->cases[c].points;
    return sum;
}

bool result_graded(const struct result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        const struct step_result *step = &result->step[i];

        if (step->chosen && !step->done)
            return false;
        for (size_t c = 0; step->chosen && c < step->step->count; c++)
            if (step->verdict[c].status == VERDICT_ERROR)
                return false;
    }
    return true;
}

static bool is_wanted(const struct step_case *row)
{
    const char *pattern = run.options->pattern;

    if (row->tool != TOOL_NONE ? run.options->without_valgrind
                               : run.options->only_valgrind)
        return false;
    return !pattern || fnmatch(pattern, row->name, 0) == 0;
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

/* ---- One case ---- */

static void open_program(void)
{
    if (program_open(&run.program, run.binary, run.interposer) == 0)
        return;
    int error = errno, status = run.program.status;
    const char *limit =
        WIFSIGNALED(status) ? program_limit_text(WTERMSIG(status)) : "";

    if (*limit)
        snprintf(run.result->note, sizeof(run.result->note),
                 "the program does not come to its main()%s", limit);
    else
        snprintf(run.result->note, sizeof(run.result->note),
                 "the program goes around libc: it did not load the kit's "
                 "library (%s)",
                 strerror(error));
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

/* ---- Under valgrind ---- */

/* One fork server at a time: the other would be taken for a process of the
 * case. */
static int use_tool(enum step_tool tool)
{
    if (run.tool == tool && program_is_open(&run.program))
        return 0;
    memcheck_close(&run.memcheck, NULL);
    program_close(&run.program);
    run.tool = tool;
    if (tool == TOOL_NONE)
        return program_open(&run.program, run.binary, run.interposer);
    return memcheck_open(&run.memcheck, tool, &run.program, run.binary,
                         run.interposer);
}

static bool is_watched_already(const struct step_case *row)
{
    const struct step_case *last = run.watched;

    return row->tool != TOOL_NONE && last && last->tool == row->tool &&
           last->play == row->play &&
           strcmp(last->faults ? last->faults : "",
                  row->faults ? row->faults : "") == 0;
}

static void not_graded(struct verdict *verdict, const char *reason)
{
    memset(verdict, 0, sizeof(*verdict));
    verdict->status = VERDICT_ERROR;
    snprintf(verdict->came, sizeof(verdict->came), "not graded: %s", reason);
}

/* The play has set the scene; whether it came to its end or not, what
 * valgrind saw is the verdict. */
static void watch_end(const struct step_case *row, struct verdict *verdict)
{
    if (run.play->program) {
        bool whole = verdict->status == VERDICT_PASS;
        bool settled = whole && !run.play->unsettled;

        run.watched = row;
        snprintf(run.watched_until, sizeof(run.watched_until), "%.500s",
                 whole ? "" : verdict->came);
        findings_release(&run.findings);
        int found = memcheck_collect(&run.memcheck, &run.program, settled,
                                     &run.findings);
        if (found < 0 && run.play->unsettled) {
            snprintf(run.watched_until, sizeof(run.watched_until), "%.500s",
                     run.memcheck.trouble);
        } else if (found < 0) {
            run.watched = NULL;
            not_graded(verdict, run.memcheck.trouble);
            return;
        }
    }
    memset(verdict, 0, sizeof(*verdict));
    memcheck_judge(&run.findings, row->obligation, verdict);
    if (verdict->status == VERDICT_PASS && run.watched_until[0]) {
        verdict->status = VERDICT_SKIP;
        snprintf(verdict->came, sizeof(verdict->came),
                 "skipped: watched by valgrind, the program did not come to "
                 "the end of the play: %s",
                 run.watched_until);
    }
}

static int set_up(void **state)
{
    const struct step_case *row = *state;
    struct verdict *verdict = verdict_of(row);

    memset(verdict, 0, sizeof(*verdict));
    run.begun_ns = play_now_ns();
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
    if (is_watched_already(row))
        return;
    if (use_tool(row->tool) < 0) {
        not_graded(run.play->verdict, run.memcheck.trouble);
        return;
    }
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
        watch_end(row, verdict);
    if (run.play->program)
        keep_whole_story(verdict);
    run.went_around |= run.play->went_around;
    if (run.play->program)
        play_end(run.play);
    free(run.play);
    run.play = NULL;
    if (verdict->status == VERDICT_NONE) {
        verdict->status = VERDICT_ERROR;
        snprintf(verdict->came, sizeof(verdict->came),
                 "not graded: the kit itself failed (see the log of this "
                 "step beside the report)");
    }
    verdict->duration_ms = (double)(play_now_ns() - run.begun_ns) / 1e6;
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

/* One verdict for the table's first row, the others skipped: a step that
 * cannot be played is told once. */
static void settle(enum verdict_status first, const char *words)
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

static bool cannot(const char *what)
{
    char words[256];

    snprintf(words, sizeof(words), "not graded: cannot %s: %s", what,
             strerror(errno));
    settle(VERDICT_ERROR, words);
    return false;
}

/* The binary goes where the submission cannot change it. */
static int install(const char *built)
{
    size_t len;
    char *image = submission_load(built, 256u << 20, &len);
    int result = image ? sandbox_install(run.result->step->name, image, len,
                                         0755, run.binary, sizeof(run.binary))
                       : -1;

    free(image);
    return result;
}

/* What is needed inside and lies outside. */
static int bring_in(const char *sources)
{
    const struct kit_file *library = run.options->interposer;
    const struct kit_file *valgrind = run.options->suppressions;
    char path[PATH_MAX];

    if (sandbox_install("valgrind.supp", valgrind->data, valgrind->len, 0644,
                        path, sizeof(path)) < 0 ||
        sandbox_install("interposer.so", library->data, library->len, 0755,
                        run.interposer, sizeof(run.interposer)) < 0)
        return -1;
    if (mkdir(sources, 0755) < 0 && errno != EEXIST)
        return -1;
    return submission_write(run.options->submission, sources);
}

static bool build(void)
{
    struct program_build *made = &run.result->build;
    char sources[PATH_MAX], output[PATH_MAX], words[256];

    if (submission_refused(run.options->submission, words, sizeof(words))) {
        settle(VERDICT_FAIL, words);
        return false;
    }
    snprintf(sources, sizeof(sources), "%.4000s/source", sandbox_scratch());
    snprintf(output, sizeof(output), "%.4000s/%s", sandbox_scratch(),
             run.result->step->name);
    if (bring_in(sources) < 0)
        return cannot("set up the sandbox");
    if (program_build(made, sources, run.result->step->name, output) < 0 ||
        (made->built && install(output) < 0))
        return cannot("compile");
    if (made->missing) {
        snprintf(words, sizeof(words), "there is no file %s",
                 run.result->step->source);
        settle(VERDICT_FAIL, words);
        return false;
    }
    if (!made->built) {
        settle(VERDICT_FAIL, "does not compile");
        snprintf(run.result->verdict[0].came,
                 sizeof(run.result->verdict[0].came), "%.700s", made->messages);
        snprintf(run.result->verdict[0].file,
                 sizeof(run.result->verdict[0].file), "%.63s", made->file);
        run.result->verdict[0].line = made->line;
        return false;
    }
    if (made->around[0]) {
        snprintf(words, sizeof(words),
                 "the program goes around libc: it uses %s(), and what cannot "
                 "be observed cannot be graded",
                 made->around);
        settle(VERDICT_FAIL, words);
        return false;
    }
    run.result->verdict[0].status = VERDICT_PASS;
    return true;
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

static bool has_ended(struct play *play, void *arg)
{
    (void)arg;
    return program_ended(play->program);
}

/* Starts it, and waits until it has ended or never will. No verdict comes of
 * it. */
static bool ends_by_itself(struct play *play)
{
    static jmp_buf escape;

    play->escape = &escape;
    if (setjmp(escape) == 0) {
        play_start(play, play->step->is_client
                             ? (const char *const[]){"127.0.0.1",
                                                     play->port_text, NULL}
                             : (const char *const[]){play->port_text, NULL});
        play_until(play, has_ended, NULL);
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

    open_program();
    if (run.result->note[0]) {
        snprintf(words, sizeof(words), "%s", run.result->note);
        settle(VERDICT_FAIL, words);
        return;
    }
    if (is_not_started()) {
        run.result->not_started = true;
        snprintf(words, sizeof(words), "not started: %s ends before it %s",
                 step->source,
                 step->is_client ? "connects" : "waits for a client");
        settle(VERDICT_SKIP, words);
    } else {
        run_table();
        if (run.went_around)
            settle(VERDICT_FAIL,
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
    uint64_t begun_ns = play_now_ns();

    memset(&run, 0, sizeof(run));
    run.result = result;
    run.options = options;
    run.next_port = (uint16_t)(12000 + 1000 * (result->step->name[0] % 16));
    signal(SIGPIPE, SIG_IGN);
    if (watchdog_start() != 0)
        return -1;
    if (build())
        play_step();
    result->duration_ms = (double)(play_now_ns() - begun_ns) / 1e6;
    result->done = true;
    return 0;
}
