/* options.c - the arguments of `grade`, and its bad input. */
#define _GNU_SOURCE
#include "options.h"

#include "fault.h"
#include "report/format.h"
#include "sandbox.h"
#include "schedule.h"
#include "step.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void give_up(const char *format, ...)
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
          "             [--told-as DIR] [--report DIR] [--interposer FILE]\n"
          "             [--jobs N] [--isolation namespaces|uid|plain]\n"
          "             [--verbose] [--list] [--replay text|json]\n"
          "             [--debug DEBUGGER] [--fault PLAN] [--peers ACTS]\n"
          "             [--valgrind yes|no|only] [--formats NAMES]\n"
          "             [--course FILE] [--from FILE] [--first-failure] "
          "[--help]\n",
          out);
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

struct options options_parse(int argc, char **argv)
{
    static const struct option names[] = {
        {"step", required_argument, NULL, 's'},
        {"case", required_argument, NULL, 'c'},
        {"submission", required_argument, NULL, 'd'},
        {"told-as", required_argument, NULL, 't'},
        {"report", required_argument, NULL, 'r'},
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
        {"first-failure", no_argument, NULL, '1'},
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
        case 't':
            options.told_as = optarg;
            break;
        case 'r':
            options.report = optarg;
            break;
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
        case '1':
            options.first_failure = true;
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
    check_step_names(options.steps);
    return options;
}

/* ---- Bad input: one clear line ---- */

bool options_name(const char *names, const char *name)
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

unsigned options_cases(const struct options *options)
{
    unsigned count = 0;

    for (STEPS_EACH(at)) {
        const struct step *step = *at;

        for (size_t i = 0; i < step->count; i++)
            count += options_name(options->steps, step->name) &&
                     (!options->pattern ||
                      fnmatch(options->pattern, step->cases[i].name,
                              FNM_EXTMATCH) == 0);
    }
    return count;
}

static bool holds_a_step(const char *folder)
{
    int at = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool holds = false;

    for (STEPS_EACH(step))
        holds |= faccessat(at, (*step)->source, F_OK, 0) == 0;
    close(at);
    return holds;
}

/* Who names the folder above is told so, and gets no 0 for it. */
static void check_folder_above(const char *folder)
{
    static const char *const inner[] = {"exercises", "faultline/exercises"};
    char path[PATH_MAX];

    if (holds_a_step(folder))
        return;
    for (size_t i = 0; i < sizeof(inner) / sizeof(inner[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, inner[i]);
        if (holds_a_step(path))
            give_up("the programs are not in %s, but in %s; name that", folder,
                    path);
    }
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
        give_up("FAULT= and PEERS= want a step to play: STEP=forked");
    if (options->pattern)
        give_up("FAULT= and PEERS= play the clients of the sweep; leave CASE= "
                "out");
    if (!options->peers)
        return;
    if (schedule_parse(&schedule, options->peers, &error) < 0)
        give_up("PEERS=%s: %s", options->peers, error);
    for (STEPS_EACH(step))
        if ((*step)->is_client && options_name(options->steps, (*step)->name))
            give_up("PEERS= are the clients of a server; %s is none",
                    (*step)->name);
}

void options_check_report(const struct options *options)
{
    struct stat info;

    make_folder(options->report);
    if (stat(options->report, &info) == 0 && !S_ISDIR(info.st_mode))
        give_up("the report folder %s is not a folder", options->report);
    if (access(options->report, W_OK | X_OK) < 0)
        give_up("cannot write into the report folder %s: %s", options->report,
                strerror(errno));
}

void options_check_formats(const struct options *options)
{
    size_t len;
    const char *unknown = formats_unknown(options->formats, &len);

    if (!unknown)
        return;
    fprintf(stderr,
            "grade: there is no format %.*s; the formats are: ", (int)len,
            unknown);
    formats_list(stderr);
    fputc('\n', stderr);
    exit(NOT_GRADED);
}

void options_check(const struct options *options)
{
    struct stat info;

    if (options->replay && strcmp(options->replay, "text") != 0 &&
        strcmp(options->replay, "json") != 0)
        give_up("FORMAT is text or json, not %s", options->replay);
    if (options->fault)
        check_plan(options);
    else if (options->replay &&
             (!options->pattern || options_cases(options) > 1))
        give_up("a replay wants one case: STEP=forked CASE=echoes_a_line; "
                "`make list` shows them all");
    if (options->pattern && !options->fault && options_cases(options) == 0)
        give_up("no case is named %s; `make list` shows them all",
                options->pattern);
    if (!*options->submission)
        give_up("SUBMISSION= is empty; name the folder that holds client.c and "
                "the others");
    if (stat(options->submission, &info) < 0)
        give_up("the submission %s: %s", options->submission, strerror(errno));
    if (!S_ISDIR(info.st_mode))
        give_up("the submission %s is not a folder; name the folder that "
                "holds client.c and the others",
                options->submission);
    check_folder_above(options->submission);
    options_check_report(options);
}
