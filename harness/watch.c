/* watch.c - grades again whenever a file of the submission is saved: the loop
 * a student lives in.
 *
 * watch [--step NAME] --submission DIR -- GRADE [OPTION ...]
 *
 * Runs `GRADE ... --step NAME` for the step that the saved file belongs to
 * (the toolbox: the step at hand), and moves on to the next step when one has
 * full marks. First without valgrind, at once; what valgrind says follows, and
 * is given up when a file is saved meanwhile. By inotify(7); where that does
 * not work (some network and virtual file systems) it looks twice a second.
 */
#define _GNU_SOURCE
#include "step.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS 500

struct watch {
    const char *submission;
    char *const *grade; /* the command, NULL at the end */
    size_t step;        /* at hand */
    int inotify;        /* -1: look by ourselves */
    uint64_t seen[32];  /* when each file changed last */
};

static size_t step_count(void)
{
    return (size_t)(__stop_faultline_steps - __start_faultline_steps);
}

static const struct step *step_at(size_t i)
{
    return __start_faultline_steps[i];
}

/* The step whose source that is; the one at hand for the toolbox; -1 for a
 * file that is none of ours (an editor's backup). */
static int step_of(const struct watch *watch, const char *file)
{
    if (strcmp(file, "net.c") == 0 || strcmp(file, "net.h") == 0)
        return (int)watch->step;
    for (size_t i = 0; i < step_count(); i++)
        if (strcmp(step_at(i)->source, file) == 0)
            return (int)i;
    return -1;
}

/* ---- What was saved ---- */

static uint64_t changed(const struct watch *watch, const char *file)
{
    char path[PATH_MAX];
    struct stat info;

    snprintf(path, sizeof(path), "%s/%s", watch->submission, file);
    if (stat(path, &info) < 0)
        return 0;
    return (uint64_t)info.st_mtim.tv_sec * 1000000000u +
           (uint64_t)info.st_mtim.tv_nsec;
}

static const char *file_at(size_t i)
{
    static const char *const toolbox[] = {"net.c", "net.h"};

    if (i < step_count())
        return step_at(i)->source;
    return i - step_count() < 2 ? toolbox[i - step_count()] : NULL;
}

/* The step of a file that is newer than when we last looked; -1: none. */
static int look(struct watch *watch)
{
    int step = -1;

    for (size_t i = 0; file_at(i) && i < 32; i++) {
        uint64_t now = changed(watch, file_at(i));

        if (now != watch->seen[i] && now != 0)
            step = step_of(watch, file_at(i));
        watch->seen[i] = now;
    }
    return step;
}

/* Editors write beside and rename, or write in place: both are a save. */
static void open_inotify(struct watch *watch)
{
    watch->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch->inotify >= 0 &&
        inotify_add_watch(watch->inotify, watch->submission,
                          IN_CLOSE_WRITE | IN_MOVED_TO) < 0) {
        close(watch->inotify);
        watch->inotify = -1;
    }
}

/* Waits for a save, or until `running` (a pidfd; -1: nothing) has ended.
 * Inotify wakes us; what was saved the files tell. Returns the step, or -1
 * where the process ended first. */
static int wait_for_save(struct watch *watch, int running)
{
    struct pollfd ready[2] = {{watch->inotify, POLLIN, 0},
                              {running, POLLIN, 0}};
    char events[4096];

    for (;;) {
        int step = look(watch);

        if (step >= 0 || ready[1].revents)
            return step;
        /* The slow look is there even with inotify: it may be silent. */
        poll(ready, 2, LOOK_MS);
        while (ready[0].revents &&
               read(watch->inotify, events, sizeof(events)) > 0)
            continue;
    }
}

/* ---- Grading ---- */

/* What GRADE is told last by that option; NULL: nothing. */
static const char *option_of(const struct watch *watch, const char *name)
{
    const char *value = NULL;

    for (int i = 0; watch->grade[i] && watch->grade[i + 1]; i++)
        if (strcmp(watch->grade[i], name) == 0)
            value = watch->grade[i + 1];
    return value;
}

/* Was the step played at all? One that is not started or does not compile
 * was not, and has a note that says so. */
static bool was_played(const struct watch *watch)
{
    const char *folder = option_of(watch, "--report"), *note = NULL;
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/report.json",
             folder ? folder : "build/report");
    json_t *report = json_load_file(path, 0, NULL);
    json_t *step = json_array_get(json_object_get(report, "steps"), 0);
    note = json_string_value(json_object_get(step, "note"));
    bool played = note && !note[0];
    json_decref(report);
    return played;
}

static pid_t start(const struct watch *watch, const char *valgrind)
{
    const char *argv[64];
    int n = 0;

    for (; n < 56 && watch->grade[n]; n++)
        argv[n] = watch->grade[n];
    argv[n++] = "--step";
    argv[n++] = step_at(watch->step)->name;
    argv[n++] = "--valgrind";
    argv[n++] = valgrind;
    argv[n] = NULL;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        execv(argv[0], (char *const *)argv);
        _exit(127);
    }
    return pid;
}

/* Returns grade's exit status, or -1. */
static int end_of(pid_t pid)
{
    int status;

    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The cases under valgrind, as long as nothing is saved. Returns grade's exit
 * status; -1 where it was given up, for *saved. */
static int grade_watched(struct watch *watch, int *saved)
{
    puts("\nUnder valgrind:");
    pid_t pid = start(watch, "only");
    int running = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);

    *saved = running < 0 ? -1 : wait_for_save(watch, running);
    if (*saved >= 0)
        kill(pid, SIGTERM);
    if (running >= 0)
        close(running);
    int status = end_of(pid);
    return *saved >= 0 ? -1 : status;
}

/* Grades the step at hand. Returns grade's exit status: full marks only where
 * both parts give them. *saved: as of grade_watched(). */
static int grade(struct watch *watch, int *saved)
{
    *saved = -1;
    if (isatty(STDOUT_FILENO))
        fputs("\033[H\033[2J", stdout);
    const char *valgrind = option_of(watch, "--valgrind");
    int status = end_of(start(watch, "no"));
    if ((status != 0 && status != 1) || !was_played(watch) ||
        (valgrind && strcmp(valgrind, "no") == 0))
        return status;
    int watched = grade_watched(watch, saved);
    return status == 0 ? watched : status;
}

/* Full marks lead on to the next step, until one is open. Returns the step to
 * grade next, or -1 behind the last. */
static int grade_until_open(struct watch *watch)
{
    int saved;

    while (grade(watch, &saved) == 0) {
        if (watch->step + 1 == step_count()) {
            puts("That was the last step.");
            return -1;
        }
        watch->step++;
    }
    if (saved >= 0)
        return saved;
    printf("Watching %s; save a file to grade again, Ctrl-C to stop.\n",
           watch->submission);
    fflush(stdout);
    return wait_for_save(watch, -1);
}

static void choose_step(struct watch *watch, const char *name)
{
    for (size_t i = 0; i < step_count(); i++)
        if (strcmp(step_at(i)->name, name) == 0) {
            watch->step = i;
            return;
        }
    fprintf(stderr, "watch: there is no step %s; `make list` shows them\n",
            name);
    exit(2);
}

int main(int argc, char **argv)
{
    static const struct option names[] = {
        {"step", required_argument, NULL, 's'},
        {"submission", required_argument, NULL, 'd'},
        {NULL, 0, NULL, 0},
    };
    struct watch watch = {.submission = "exercises"};
    int option;

    while ((option = getopt_long(argc, argv, "+", names, NULL)) != -1) {
        if (option == 's' && *optarg)
            choose_step(&watch, optarg);
        else if (option == 'd')
            watch.submission = optarg;
        else if (option == '?')
            return 2;
    }
    watch.grade = argv + optind;
    if (!*watch.grade || access(watch.submission, R_OK | X_OK) < 0) {
        fprintf(stderr, "watch: %s: %s\n", watch.submission, strerror(errno));
        return 2;
    }
    open_inotify(&watch);
    look(&watch);
    for (int step; (step = grade_until_open(&watch)) >= 0;)
        watch.step = (size_t)step;
    return 0;
}
