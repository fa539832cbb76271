/* grade.c - the grade program: options, steps, exit status.
 *
 * grade [--step NAME ...] [--case PATTERN] [--submission DIR] [--report DIR]
 *       [--jobs N] [--isolation KIND] [--formats NAMES] [--course FILE]
 *       [--verbose] [--list]
 * grade --from REPORT.JSON [--report DIR] [--formats NAMES]
 *
 * Exit status: 0 full marks, 1 points lost, 2 not graded.
 */
#define _GNU_SOURCE
#include "course.h"
#include "crew.h"
#include "debug.h"
#include "report/format.h"
#include "sweep.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- The tables ---- */

/* The table to play: the step's own, or a scene under the plan. */
static const struct step *table_of(const struct step *step,
                                   const struct options *options)
{
    static struct step tables[RESULT_STEPS];
    static size_t used;

    if (!options->fault)
        return step;
    if (used == RESULT_STEPS)
        give_up("there are more than %d steps", RESULT_STEPS);
    tables[used] = sweep_scene(step, options->fault);
    tables[used].sweep.schedule = options->peers;
    return &tables[used++];
}

/* The tables of this run, with a course's points and hidden cases. */
static void apply_course(const char *path, struct step_result *results,
                         size_t count)
{
    struct step *steps[RESULT_STEPS];
    char error[512];
    FILE *file = fopen(path, "re");

    if (!file)
        give_up("COURSE=%s: %s", path, strerror(errno));
    for (size_t i = 0; i < count; i++) {
        results[i].step = steps[i] = course_copy(results[i].step);
        if (!steps[i])
            give_up("no memory: %s", strerror(errno));
    }
    if (course_read(file, path, steps, count, error, sizeof(error)) < 0)
        give_up("%s", error);
    fclose(file);
}

static struct step_result *new_results(const struct options *options,
                                       size_t *count)
{
    size_t steps = (size_t)(__stop_faultline_steps - __start_faultline_steps);
    struct step_result *results =
        mmap(NULL, steps * sizeof(*results), PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (results == MAP_FAILED)
        give_up("no memory: %s", strerror(errno));
    for (size_t i = 0; i < steps; i++)
        results[i].step = table_of(__start_faultline_steps[i], options);
    if (options->course && !options->fault)
        apply_course(options->course, results, steps);
    *count = steps;
    return results;
}

/* ---- The walls ---- */

/* The strongest, or the one that was asked for and no other. */
static enum sandbox_kind choose_isolation(const struct options *options)
{
    char self[PATH_MAX] = "";
    enum sandbox_kind kind;

    if (readlink("/proc/self/exe", self, sizeof(self) - 1) > 0 &&
        strrchr(self, '/')) {
        *strrchr(self, '/') = '\0';
        sandbox_hide(self);
    }
    sandbox_hide(options->submission);
    sandbox_hide(options->report);
    if (options->isolation < 0)
        kind = sandbox_best();
    else if (sandbox_works((enum sandbox_kind)options->isolation))
        kind = (enum sandbox_kind)options->isolation;
    else
        give_up("there is no isolation %s on this machine: %s",
                sandbox_name((enum sandbox_kind)options->isolation),
                sandbox_trouble());
    if (*sandbox_gaps(kind))
        fprintf(stderr, "warning: isolation %s: %s\n", sandbox_name(kind),
                sandbox_gaps(kind));
    return kind;
}

/* ---- The reports ---- */

static bool wants_colour(void)
{
    const char *no = getenv("NO_COLOR");

    return isatty(STDOUT_FILENO) && !(no && *no);
}

/* A file that outgrows a limit is an error like any other of a full disk. */
static void write_formats(const struct options *options, const json_t *report)
{
    char path[PATH_MAX];

    if (formats_write(options->report, report, options->formats, path,
                      sizeof(path)) < 0)
        give_up("cannot write %s: %s", path, strerror(errno));
}

static void write_reports(const struct options *options,
                          const struct result *result)
{
    char path[PATH_MAX];
    json_t *report = report_document(result);

    if (!report)
        give_up("cannot write the report: no memory");
    signal(SIGXFSZ, SIG_IGN);
    snprintf(path, sizeof(path), "%s/report.json", options->report);
    if (report_json(path, report) < 0)
        give_up("cannot write %s: %s", path, strerror(errno));
    write_formats(options, report);
    json_decref(report);
}

/* The formats of a report that was made earlier. */
static int formats_from(const struct options *options)
{
    json_error_t error;
    json_t *report = json_load_file(options->from, 0, &error);

    if (!report && error.line < 0)
        give_up("%s", error.text);
    if (!report)
        give_up("%s:%d: %s", options->from, error.line, error.text);
    if (!json_is_array(json_object_get(report, "steps")))
        give_up("%s is no report of this kit", options->from);
    signal(SIGXFSZ, SIG_IGN);
    write_formats(options, report);
    json_decref(report);
    return 0;
}

/* ---- All of it ---- */

static char *absolute(const char *path)
{
    char *whole = realpath(path, NULL);

    if (!whole)
        give_up("%s: %s", path, strerror(errno));
    return whole;
}

static int exit_status(const struct result *result)
{
    if (!result_graded(result))
        return NOT_GRADED;
    return result_score(result) < result_max(result) ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv);
    struct report_style style = {wants_colour(), options.verbose};
    struct result result = {.submission = options.submission,
                            .told_as = options.told_as ? options.told_as
                                                       : options.submission};

    if (options.list) {
        result.step = new_results(&options, &result.count);
        report_list(stdout, &result);
        return 0;
    }
    options_check_formats(&options);
    if (options.from) {
        options_check_report(&options);
        return formats_from(&options);
    }
    options_check(&options);
    options.submission = absolute(options.submission);
    options.report = absolute(options.report);
    options.interposer = absolute(options.interposer);
    if (options.jobs == 0)
        options.jobs = 4 * (int)sysconf(_SC_NPROCESSORS_ONLN);
    const char *lack = program_raise_files();
    if (lack)
        give_up("%s", lack);
    debug_with(options.debugger);
    enum sandbox_kind kind = choose_isolation(&options);
    result.isolation = sandbox_name(kind);
    result.step = new_results(&options, &result.count);
    for (size_t i = 0; i < result.count; i++)
        result.step[i].chosen =
            options_name(options.steps, result.step[i].step->name);
    struct crew crew = {
        .result = &result, .options = &options, .kind = kind, .style = &style};
    crew_load_kit(&crew);
    crew_grade(&crew);
    if (options.replay) {
        report_replay(stdout, &result, options.report,
                      strcmp(options.replay, "json") == 0);
        return exit_status(&result);
    }
    report_text_end(stdout, &result, &style);
    write_reports(&options, &result);
    return exit_status(&result);
}
