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
#include "debug.h"
#include "report/format.h"
#include "report/report.h"
#include "sandbox.h"
#include "schedule.h"
#include "sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_GRADED 2
#define WIDTH      80 /* columns */

struct options {
    const char *steps; /* names, by blanks; "": all */
    const char *pattern;
    const char *submission;
    const char *report;
    const char *interposer;
    int jobs;
    int isolation; /* enum sandbox_kind, or -1: the best */
    bool verbose;
    const char *replay;    /* "text" or "json"; NULL: grade */
    const char *debugger;  /* NULL: none */
    const char *fault;     /* a plan to replay; NULL: a case */
    const char *peers;     /* what the clients do meanwhile; NULL: as ever */
    bool without_valgrind; /* the cases that need it are left out */
    bool only_valgrind;    /* all others are */
    const char *formats;   /* beside report.json: names, by blanks; "": all */
    const char *course;    /* a course's file; NULL: none */
    const char *from;      /* a report.json to make formats of; NULL: grade */
    bool list;             /* say what there is, and grade nothing */
};

__attribute__((noreturn, format(printf, 1, 2))) static void
give_up(const char *format, ...)
{
    va_list list;

    fputs("grade: ", stderr);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    exit(NOT_GRADED);
}

/* ---- Options ---- */

static int parse_isolation(const char *name)
{
    for (int kind = 0; kind < SANDBOX_KINDS; kind++)
        if (strcmp(name, sandbox_name((enum sandbox_kind)kind)) == 0)
            return kind;
    give_up("there is no isolation %s: namespaces, uid or plain", name);
}

static int parse_jobs(const char *text)
{
    char *end;
    long jobs = strtol(text, &end, 10);

    if (end == text || *end || jobs < 1 || jobs > 64)
        give_up("JOBS is a number from 1 to 64, not %s", text);
    return (int)jobs;
}

static void parse_valgrind(struct options *options, const char *text)
{
    if (*text && strcmp(text, "no") != 0 && strcmp(text, "yes") != 0 &&
        strcmp(text, "only") != 0)
        give_up("VALGRIND is yes, no or only, not %s", text);
    options->without_valgrind = strcmp(text, "no") == 0;
    options->only_valgrind = strcmp(text, "only") == 0;
}

static void usage(FILE *out)
{
    fputs("usage: grade [--step NAMES] [--case PATTERN] [--submission DIR]\n"
          "             [--report DIR] [--build DIR] [--interposer FILE]\n"
          "             [--jobs N] [--isolation namespaces|uid|plain]\n"
          "             [--verbose] [--list] [--replay text|json]\n"
          "             [--debug DEBUGGER] [--valgrind yes|no|only]\n"
          "             [--formats NAMES] [--course FILE] [--from FILE]\n",
          out);
}

static struct options parse_options(int argc, char **argv)
{
    static const struct option names[] = {
        {"step", required_argument, NULL, 's'},
        {"case", required_argument, NULL, 'c'},
        {"submission", required_argument, NULL, 'd'},
        {"report", required_argument, NULL, 'r'},
        {"build", required_argument, NULL, 'b'},
        {"interposer", required_argument, NULL, 'i'},
        {"jobs", required_argument, NULL, 'j'},
        {"isolation", required_argument, NULL, 'I'},
        {"verbose", no_argument, NULL, 'v'},
        {"replay", required_argument, NULL, 'R'},
        {"debug", required_argument, NULL, 'D'},
        {"fault", required_argument, NULL, 'F'},
        {"peers", required_argument, NULL, 'P'},
        {"valgrind", required_argument, NULL, 'V'},
        {"formats", required_argument, NULL, 'f'},
        {"course", required_argument, NULL, 'C'},
        {"from", required_argument, NULL, 'J'},
        {"list", no_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {.steps = "",
                              .submission = "exercises",
                              .report = "build/report",
                              .interposer = "build/interposer.so",
                              .isolation = -1,
                              .formats = ""};
    int option;

    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (option) {
        case 's':
            options.steps = optarg;
            break;
        case 'c':
            options.pattern = *optarg ? optarg : NULL;
            break;
        case 'd':
            options.submission = optarg;
            break;
        case 'r':
            options.report = optarg;
            break;
        case 'b':
            break; /* everything is built inside the sandbox */
        case 'i':
            options.interposer = optarg;
            break;
        case 'j':
            options.jobs = *optarg ? parse_jobs(optarg) : 0;
            break;
        case 'I':
            options.isolation = *optarg ? parse_isolation(optarg) : -1;
            break;
        case 'v':
            options.verbose = true;
            break;
        case 'R':
            options.replay = optarg;
            break;
        case 'F':
            options.fault = *optarg ? optarg : NULL;
            break;
        case 'P':
            options.peers = *optarg ? optarg : NULL;
            break;
        case 'D':
            options.debugger = optarg;
            options.replay = "text";
            break;
        case 'V':
            parse_valgrind(&options, optarg);
            break;
        case 'f':
            options.formats = optarg;
            break;
        case 'C':
            options.course = *optarg ? optarg : NULL;
            break;
        case 'J':
            options.from = optarg;
            break;
        case 'l':
            options.list = true;
            break;
        case 'h':
            usage(stdout);
            exit(0);
        default:
            usage(stderr);
            exit(NOT_GRADED);
        }
    }
    if (options.peers && !options.fault)
        options.fault = "";
    if (optind < argc)
        give_up("unexpected argument %s", argv[optind]);
    return options;
}

/* ---- Bad input: one clear line ---- */

static bool is_named(const char *names, const char *name)
{
    size_t len = strlen(name);

    if (!names[strspn(names, " ,")])
        return true;
    for (const char *at = names; *(at += strspn(at, " ,"));) {
        size_t word = strcspn(at, " ,");

        if (word == len && strncmp(at, name, len) == 0)
            return true;
        at += word;
    }
    return false;
}

static void check_step_names(const char *names)
{
    for (const char *at = names; *(at += strspn(at, " ,"));) {
        size_t word = strcspn(at, " ,");
        bool known = false;

        for (STEPS_EACH(step))
            known |= strlen((*step)->name) == word &&
                     strncmp((*step)->name, at, word) == 0;
        if (!known) {
            fprintf(stderr,
                    "grade: there is no step %.*s; the steps are:", (int)word,
                    at);
            for (STEPS_EACH(step))
                fprintf(stderr, " %s", (*step)->name);
            fputc('\n', stderr);
            exit(NOT_GRADED);
        }
        at += word;
    }
}

static size_t count_matches(const struct options *options)
{
    size_t count = 0;

    for (STEPS_EACH(at)) {
        const struct step *step = *at;

        for (size_t i = 0; i < step->count; i++)
            count += is_named(options->steps, step->name) &&
                     fnmatch(options->pattern, step->cases[i].name, 0) == 0;
    }
    return count;
}

static char *absolute(const char *path)
{
    char *whole = realpath(path, NULL);

    if (!whole)
        give_up("%s: %s", path, strerror(errno));
    return whole;
}

static void make_folder(const char *path)
{
    char part[PATH_MAX];

    snprintf(part, sizeof(part), "%s", path);
    for (char *slash = strchr(part + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(part, 0777);
        *slash = '/';
    }
    if (mkdir(part, 0777) < 0 && errno != EEXIST)
        give_up("cannot make the folder %s: %s", path, strerror(errno));
}

static void check_plan(const struct options *options)
{
    struct fault plan[FAULT_MAX];
    struct schedule schedule;
    const char *error;

    if (fault_parse_plan(plan, options->fault, &error) < 0)
        give_up("FAULT=%s: %s", options->fault, error);
    if (!options->steps[strspn(options->steps, " ,")])
        give_up("FAULT= wants a step to play: STEP=forked");
    if (!options->peers)
        return;
    if (schedule_parse(&schedule, options->peers, &error) < 0)
        give_up("PEERS=%s: %s", options->peers, error);
    for (STEPS_EACH(step))
        if ((*step)->is_client && is_named(options->steps, (*step)->name))
            give_up("PEERS= are the clients of a server; %s is none",
                    (*step)->name);
}

static void check_report_folder(const struct options *options)
{
    make_folder(options->report);
    if (access(options->report, W_OK | X_OK) < 0)
        give_up("cannot write into the report folder %s: %s", options->report,
                strerror(errno));
}

static void check_formats(const char *names)
{
    size_t len;
    const char *unknown = formats_unknown(names, &len);

    if (!unknown)
        return;
    fprintf(stderr,
            "grade: there is no format %.*s; the formats are: ", (int)len,
            unknown);
    formats_list(stderr);
    fputc('\n', stderr);
    exit(NOT_GRADED);
}

static void check_input(const struct options *options)
{
    struct stat info;

    check_step_names(options->steps);
    if (options->replay && strcmp(options->replay, "text") != 0 &&
        strcmp(options->replay, "json") != 0)
        give_up("FORMAT is text or json, not %s", options->replay);
    if (options->fault)
        check_plan(options);
    else if (options->replay &&
             (!options->pattern || count_matches(options) > 1))
        give_up("a replay wants one case: STEP=forked CASE=echoes_a_line; "
                "`make list` shows them all");
    if (options->pattern && !options->fault && count_matches(options) == 0)
        give_up("no case is named %s; `make list` shows them all",
                options->pattern);
    if (stat(options->submission, &info) < 0)
        give_up("the submission %s: %s", options->submission, strerror(errno));
    if (!S_ISDIR(info.st_mode))
        give_up("the submission %s is not a folder; name the folder that "
                "holds client.c and the others",
                options->submission);
    check_report_folder(options);
}

/* ---- Steps, some at a time ---- */

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

struct crew {
    struct result *result;
    const struct options *options;
    enum sandbox_kind kind;
    const struct report_style *style;
    struct kit_file interposer, suppressions;
    pid_t pid[RESULT_STEPS];
    bool over[RESULT_STEPS];
    size_t next; /* step to start */
    size_t told; /* steps reported */
    int running;
};

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
                                  .only_valgrind = options->only_valgrind},
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
    unsigned played = 0, all = 0;

    if (!isatty(STDERR_FILENO))
        return;
    for (size_t i = 0; i < crew->result->count; i++) {
        if (!crew->result->step[i].chosen)
            continue;
        played += crew->result->step[i].played;
        all += (unsigned)crew->result->step[i].step->count;
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

static void grade_steps(struct crew *crew)
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

/* Valgrind's suppressions lie beside the library. */
static void load_kit(struct crew *crew)
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

/* ---- All of it ---- */

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

static int exit_status(const struct result *result)
{
    if (!result_graded(result))
        return NOT_GRADED;
    return result_score(result) < result_max(result) ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct options options = parse_options(argc, argv);
    struct report_style style = {wants_colour(), options.verbose};
    struct result result = {.submission = options.submission};

    if (options.list) {
        result.step = new_results(&options, &result.count);
        report_list(stdout, &result);
        return 0;
    }
    check_formats(options.formats);
    if (options.from) {
        check_report_folder(&options);
        return formats_from(&options);
    }
    check_input(&options);
    options.submission = absolute(options.submission);
    options.report = absolute(options.report);
    options.interposer = absolute(options.interposer);
    if (options.jobs == 0)
        options.jobs = 2 * (int)sysconf(_SC_NPROCESSORS_ONLN);
    debug_with(options.debugger);
    enum sandbox_kind kind = choose_isolation(&options);
    result.isolation = sandbox_name(kind);
    result.step = new_results(&options, &result.count);
    for (size_t i = 0; i < result.count; i++)
        result.step[i].chosen =
            is_named(options.steps, result.step[i].step->name);
    struct crew crew = {
        .result = &result, .options = &options, .kind = kind, .style = &style};
    load_kit(&crew);
    grade_steps(&crew);
    if (options.replay) {
        report_replay(stdout, &result, options.report,
                      strcmp(options.replay, "json") == 0);
        return exit_status(&result);
    }
    report_text_end(stdout, &result, &style);
    write_reports(&options, &result);
    return exit_status(&result);
}
