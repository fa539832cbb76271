/* crew.c - one child a step: jobs, their ends, their progress. */
#define _GNU_SOURCE
#include "crew.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define WIDTH 80 /* columns */

struct job {
    struct step_result *result;
    struct run_options options;
    int log;
    bool on_terminal; /* a debugger talks to the user */
};

static int work(void *arg)
{
    struct job *job = arg;

    if (job->log >= 0 && !job->on_terminal) {
        dup2(job->log, STDOUT_FILENO);
        dup2(job->log, STDERR_FILENO);
    }
    return run_step(job->result, &job->options) < 0;
}

/* What lies outside the walls is opened, or read, before they close. */
static int open_in(const char *folder, const char *name, const char *suffix)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s%s", folder, name, suffix);
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
                0666);
}

static int run_job(struct job *job, const struct options *options,
                   enum sandbox_kind kind)
{
    const char *step = job->result->step->name;
    struct submission submission;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (submission_read(&submission, options->submission, step) < 0) {
        snprintf(job->result->note, sizeof(job->result->note),
                 "not graded: cannot read the submission: %s", strerror(errno));
        return 1;
    }
    job->options.submission = &submission;
    job->log = open_in(options->report, step, ".log");
    if (options->replay) {
        job->options.story[0] = open_in(options->report, "story", ".txt");
        job->options.story[1] = open_in(options->report, "story", ".json");
    }
    int status = sandbox_run(kind, work, job);
    if (status < 0)
        snprintf(job->result->note, sizeof(job->result->note),
                 "not graded: no sandbox: %s", sandbox_trouble());
    submission_release(&submission);
    return status == 0 ? 0 : 1;
}

static pid_t start_job(struct job *job, const struct options *options,
                       enum sandbox_kind kind)
{
    fflush(NULL);
    pid_t pid = fork();

    if (pid == 0)
        _exit(run_job(job, options, kind));
    return pid;
}

/* Of the terminal; of a file that is looked at with a wide window. */
static int columns(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= WIDTH)
        return size.ws_col;
    return isatty(STDOUT_FILENO) ? WIDTH : 2 * WIDTH;
}

static void start_next(struct crew *crew)
{
    struct step_result *step = &crew->result->step[crew->next];
    const struct options *options = crew->options;
    struct job job = {.result = step,
                      .options = {.interposer = &crew->interposer,
                                  .suppressions = &crew->suppressions,
                                  .pattern = options->pattern,
                                  .story = {-1, -1},
                                  .story_width = columns(),
                                  .without_valgrind = options->without_valgrind,
                                  .only_valgrind = options->only_valgrind,
                                  .first_failure = options->first_failure},
                      .on_terminal = options->debugger != NULL};

    crew->pid[crew->next] = start_job(&job, options, crew->kind);
    if (crew->pid[crew->next] < 0)
        give_up("cannot start a step: %s", strerror(errno));
    crew->next++;
    crew->running++;
}

/* A worker that died before the end left its step ungraded: the kit's or the
 * machine's trouble, never the student's. */
static void note_end(struct crew *crew, pid_t pid)
{
    for (size_t i = 0; i < crew->result->count; i++) {
        struct step_result *step = &crew->result->step[i];

        if (crew->pid[i] != pid)
            continue;
        crew->over[i] = true;
        if (!step->done && !step->note[0])
            snprintf(step->note, sizeof(step->note),
                     "not graded: the kit failed, see %s/%s.log",
                     crew->options->report, step->step->name);
    }
}

static void tell_progress(const struct crew *crew)
{
    unsigned played = 0, all = options_cases(crew->options);

    if (!isatty(STDERR_FILENO))
        return;
    for (size_t i = 0; i < crew->result->count; i++) {
        if (!crew->result->step[i].chosen)
            continue;
        played += crew->result->step[i].played;
    }
    fprintf(stderr, "\r%u of about %u cases played \r", played, all);
}

/* In the order of the table, whatever the order of their ends. */
static void tell_steps(struct crew *crew)
{
    while (crew->told < crew->result->count) {
        const struct step_result *step = &crew->result->step[crew->told];

        if (step->chosen && !crew->over[crew->told])
            return;
        if (step->chosen && !crew->options->replay) {
            report_text_step(stdout, step, crew->style);
            fflush(stdout);
        }
        crew->told++;
    }
}

void crew_grade(struct crew *crew)
{
    int jobs = crew->options->jobs;

    while (crew->told < crew->result->count) {
        while (crew->next < crew->result->count &&
               !crew->result->step[crew->next].chosen)
            crew->over[crew->next++] = true;
        if (crew->next < crew->result->count && crew->running < jobs) {
            start_next(crew);
            continue;
        }
        pid_t pid = crew->running > 0 ? wait(NULL) : 0;
        if (pid > 0) {
            note_end(crew, pid);
            crew->running--;
        }
        tell_progress(crew);
        tell_steps(crew);
    }
}

/* Valgrind's suppressions lie beside the library. */
void crew_load_kit(struct crew *crew)
{
    const char *library = crew->options->interposer;
    const char *slash = strrchr(library, '/');
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%.*s/valgrind.supp", (int)(slash - library),
             library);
    crew->interposer.data =
        submission_load(library, 64u << 20, &crew->interposer.len);
    if (!crew->interposer.data)
        give_up("%s: %s", library, strerror(errno));
    crew->suppressions.data =
        submission_load(path, 1u << 20, &crew->suppressions.len);
    if (!crew->suppressions.data)
        give_up("%s: %s", path, strerror(errno));
}
