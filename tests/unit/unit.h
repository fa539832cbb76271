/* unit.h - what the unit tests of the harness share.
 *
 * Each test_X.c is a program of its own. It runs from the root of the
 * repository; FAULTLINE_INTERPOSER and FAULTLINE_PROGRAMS say otherwise
 * where the library and the small programs under test lie.
 */
#ifndef FAULTLINE_UNIT_H
#define FAULTLINE_UNIT_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../harness/program.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNIT_HELPER       __attribute__((unused)) static
#define UNIT_COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* How often a test looks for what must come; a net, no measure. */
#define UNIT_LOOKS 1000000

/* A test that hangs has failed: SIGALRM ends the program. What nohup(1) or a
 * shell's & has ignored is as it is at a terminal. */
UNIT_HELPER void unit_begin(void)
{
    signal(SIGHUP, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGQUIT, SIG_DFL);
    alarm(300);
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* as in the sandbox */
}

/* ---- Folders and files ---- */

UNIT_HELPER char *unit_folder(char path[PATH_MAX])
{
    char template[] = "/tmp/faultline-unit-XXXXXX";

    assert_non_null(mkdtemp(template));
    assert_non_null(realpath(template, path));
    return path;
}

UNIT_HELPER int unit_remove_one(const char *path, const struct stat *info,
                                int type, struct FTW *where)
{
    (void)info;
    (void)type;
    (void)where;
    return remove(path);
}

UNIT_HELPER void unit_remove(const char *folder)
{
    nftw(folder, unit_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

UNIT_HELPER void unit_write(const char *folder, const char *name,
                            const char *text)
{
    char path[2 * PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* ---- Programs under test ---- */

UNIT_HELPER const char *unit_interposer(void)
{
    static char path[PATH_MAX];
    const char *given = getenv("FAULTLINE_INTERPOSER");

    if (!realpath(given ? given : "build/interposer.so", path))
        fail_msg("no interposer: set FAULTLINE_INTERPOSER");
    return path;
}

/* Builds programs/NAME.c; its path goes to `path`. */
UNIT_HELPER void unit_build(const char *name, const char *folder,
                            char path[PATH_MAX])
{
    static struct program_build build;
    const char *programs = getenv("FAULTLINE_PROGRAMS");

    snprintf(path, PATH_MAX, "%.3000s/%.64s", folder, name);
    assert_int_equal(program_build(&build,
                                   programs ? programs : "tests/unit/programs",
                                   name, path),
                     0);
    if (!build.built)
        fail_msg("%s.c does not compile:\n%s", name, build.messages);
}

/* Reads what is there; the text is ended with a NUL. */
UNIT_HELPER size_t unit_take(int fd, char *text, size_t size)
{
    size_t len = 0;
    ssize_t n;

    while (len < size - 1 && (n = read(fd, text + len, size - 1 - len)) > 0)
        len += (size_t)n;
    text[len] = '\0';
    return len;
}

#define UNIT_NET_MS 10000 /* what takes longer never comes */

/* Waits until the first process of the run has ended. Returns its status. */
UNIT_HELPER int unit_await(struct program *program)
{
    struct pollfd said = {program->control, POLLIN, 0};

    if (poll(&said, 1, UNIT_NET_MS) != 1 || !program_ended(program))
        fail_msg("the program does not end");
    return program->status;
}

/* Waits until the program has printed a line, or ended. */
UNIT_HELPER void unit_await_line(struct program *program)
{
    struct pollfd printed = {program->output, POLLIN, 0};
    char line[64];

    assert_int_equal(poll(&printed, 1, UNIT_NET_MS), 1);
    assert_true(read(program->output, line, sizeof(line)) > 0);
}

#endif
