/* torture.c - `make torture`: one failure at a time, every two of them, then
 * several at random with clients that act at random, until the time is up;
 * then each failure by itself under valgrind.
 *
 * torture --step NAME [--seconds N | --plans N] [--seed N] [--finds N]
 *         [--submission DIR] [--report DIR] [--interposer FILE]
 *         [--isolation namespaces|uid|plain] [--valgrind yes|no]
 *
 * The clock ends the search between two runs; no verdict knows it. What does
 * harm is made as small as it gets, and told with the command that plays it
 * again. Exit status: 0 all survived, 1 harm was done, 2 it could not be
 * tried.
 */
#define _GNU_SOURCE
#include "result.h"
#include "sandbox.h"
#include "submission.h"
#include "torture_search.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NOT_TRIED   2
#define FINDS_USUAL 5 /* enough to begin with */

struct options {
    const char *report, *interposer, *isolation;
    bool without_valgrind;
    int log;
    struct torture_options search;
};

/* What goes into the sandbox. */
struct job {
    struct options *options;
    struct submission submission;
    struct kit_file interposer, suppressions;
    struct step_result *result; /* shared with it */
};

__attribute__((noreturn, format(printf, 1, 2))) static void
give_up(const char *format, ...)
{
    va_list list;

    fflush(stdout);
    fputs("torture: ", stderr);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    exit(NOT_TRIED);
}

/* ---- Options ---- */

static uint64_t parse_number(const char *what, const char *text, uint64_t most)
{
    char *end;

    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || number > most)
        give_up("%s is a number up to %llu, not %s", what,
                (unsigned long long)most, text);
    return number;
}

static bool is_no(const char *text)
{
    if (*text && strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
        give_up("VALGRIND is yes or no, not %s", text);
    return strcmp(text, "no") == 0;
}

static struct options parse_options(int argc, char **argv)
{
    static const struct option names[] = {
        {"step", required_argument, NULL, 's'},
        {"seconds", required_argument, NULL, 'S'},
        {"plans", required_argument, NULL, 'P'},
        {"finds", required_argument, NULL, 'f'},
        {"seed", required_argument, NULL, 'x'},
        {"submission", required_argument, NULL, 'd'},
        {"report", required_argument, NULL, 'r'},
        {"interposer", required_argument, NULL, 'i'},
        {"isolation", required_argument, NULL, 'I'},
        {"valgrind", required_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {.report = "build/torture-report",
                              .interposer = "build/interposer.so",
                              .isolation = "",
                              .search = {.submission = "exercises",
                                         .seconds = 60,
                                         .finds = FINDS_USUAL,
                                         .seed = (uint64_t)time(NULL)}};
    int option;

    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (option) {
        case 's':
            options.search.step = step_by_name(optarg);
            break;
        case 'S':
            if (*optarg)
                options.search.seconds =
                    (unsigned)parse_number("SECONDS", optarg, 1000000);
            break;
        case 'P':
            if (*optarg)
                options.search.plans =
                    parse_number("PLANS", optarg, UINT32_MAX);
            break;
        case 'f':
            options.search.finds = parse_number("FINDS", optarg, TORTURE_FINDS);
            break;
        case 'x':
            if (*optarg)
                options.search.seed = parse_number("SEED", optarg, UINT64_MAX);
            break;
        case 'd':
            options.search.submission = optarg;
            break;
        case 'r':
            options.report = optarg;
            break;
        case 'i':
            options.interposer = optarg;
            break;
        case 'I':
            options.isolation = optarg;
            break;
        case 'v':
            options.without_valgrind = is_no(optarg);
            break;
        default:
            exit(NOT_TRIED);
        }
    }
    return options;
}

/* ---- In the sandbox ---- */

/* The tests' own words go into a log. */
static int work(void *arg)
{
    struct job *job = arg;
    const struct run_options options = {.submission = &job->submission,
                                        .interposer = &job->interposer,
                                        .suppressions = &job->suppressions,
                                        .story = {-1, -1},
                                        .without_valgrind =
                                            job->options->without_valgrind};

    job->options->search.out = fdopen(dup(STDOUT_FILENO), "w");
    dup2(job->options->log, STDOUT_FILENO);
    dup2(job->options->log, STDERR_FILENO);
    return run_step(job->result, &options) < 0 ? NOT_TRIED : 0;
}

static enum sandbox_kind choose_isolation(const struct options *options)
{
    sandbox_hide(options->report);
    if (!*options->isolation)
        return sandbox_best();
    for (int kind = 0; kind < SANDBOX_KINDS; kind++)
        if (strcmp(options->isolation, sandbox_name((enum sandbox_kind)kind)) ==
            0)
            return (enum sandbox_kind)kind;
    give_up("there is no isolation %s: namespaces, uid or plain",
            options->isolation);
}

/* ---- All of it ---- */

static const char *absolute(const char *path)
{
    const char *whole = realpath(path, NULL);

    if (!whole)
        give_up("%s: %s", path, strerror(errno));
    return whole;
}

static struct kit_file load(const char *folder, const char *name)
{
    struct kit_file file;
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file.data = submission_load(path, 64u << 20, &file.len);
    if (!file.data)
        give_up("%s: %s", path, strerror(errno));
    return file;
}

static void prepare(struct job *job, struct options *options)
{
    char path[PATH_MAX];

    mkdir(options->report, 0777);
    options->report = absolute(options->report);
    snprintf(path, sizeof(path), "%s/%s.log", options->report,
             options->search.step->name);
    options->log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    snprintf(path, sizeof(path), "%s", absolute(options->interposer));
    *strrchr(path, '/') = '\0';
    job->options = options;
    job->interposer = load(path, "interposer.so");
    job->suppressions = load(path, "valgrind.supp");
    if (submission_read(&job->submission, absolute(options->search.submission),
                        options->search.step->name) < 0)
        give_up("cannot read the submission: %s", strerror(errno));
    job->result = mmap(NULL, sizeof(*job->result), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (options->log < 0 || job->result == MAP_FAILED)
        give_up("%s", strerror(errno));
    job->result->step = torture_step(&options->search);
}

static void tell_harm(const struct verdict *verdict)
{
    printf("  HARM under valgrind");
    if (verdict->file[0])
        printf(" at %s:%d %s()", verdict->file, verdict->line,
               verdict->function);
    printf("\n    expected  %s\n    came      %s\n", verdict->expected,
           verdict->came);
}

/* What came of the rows behind the search. Returns the exit status. */
static int tell_watched(const struct step_result *result, int searched)
{
    unsigned count[VERDICT_ERROR + 1] = {0};

    for (size_t i = 2; i < result->step->count; i++) {
        const struct verdict *verdict = &result->verdict[i];

        count[verdict->status]++;
        if (verdict->status == VERDICT_FAIL)
            tell_harm(verdict);
        else if (verdict->status == VERDICT_SKIP ||
                 verdict->status == VERDICT_ERROR)
            printf("  under valgrind     %s\n", verdict->came);
    }
    if (count[VERDICT_PASS] + count[VERDICT_FAIL] > 0)
        printf("  %-18s %6u of %6u rules kept\n", "under valgrind",
               count[VERDICT_PASS], count[VERDICT_PASS] + count[VERDICT_FAIL]);
    return searched || count[VERDICT_FAIL] > 0 ? 1
           : count[VERDICT_ERROR] > 0          ? NOT_TRIED
                                               : 0;
}

/* What no search has said yet. */
static int end(const struct step_result *result, int status)
{
    const struct verdict *verdict = &result->verdict[1];

    if (status < 0)
        give_up("there is no sandbox: %s", sandbox_trouble());
    if (verdict->status == VERDICT_PASS || verdict->status == VERDICT_FAIL)
        return tell_watched(result, verdict->status == VERDICT_FAIL);
    if (result->build.messages[0] && !result->build.built)
        fputs(result->build.messages, stderr);
    give_up("%s", result->note[0]    ? result->note
                  : verdict->came[0] ? verdict->came
                                     : "the kit failed; see its log");
}

int main(int argc, char **argv)
{
    struct options options = parse_options(argc, argv);
    const struct torture_options *search = &options.search;
    static struct job job;

    if (!search->step)
        give_up("STEP= wants one step of these: %s", step_names());
    const char *lack = program_raise_files();
    if (lack)
        give_up("%s", lack);
    enum sandbox_kind kind = choose_isolation(&options);
    prepare(&job, &options);
    printf("%s, seed %llu", search->step->name,
           (unsigned long long)search->seed);
    if (search->plans > 0)
        printf(", %llu plans\n", (unsigned long long)search->plans);
    else
        printf(", %u seconds\n", search->seconds);
    int status = sandbox_run(kind, work, &job);
    return end(job.result, status);
}
