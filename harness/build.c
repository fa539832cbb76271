/* build.c - compiling a submission: program_build() of program.h. */
#define _GNU_SOURCE
#include "program.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *compiler(void)
{
    const char *cc = getenv("CC");

    return cc && *cc ? cc : "cc";
}

/* No carets: messages must not print lines of other files. */
static const char *without_carets(void)
{
    return strstr(compiler(), "clang") ? "-fno-caret-diagnostics"
                                       : "-fno-diagnostics-show-caret";
}

/* Without _FORTIFY_SOURCE the calls keep their names; valgrind reads no
 * later DWARF of every compiler. */
#define FLAGS                                                                  \
    "-std=gnu17", "-Wall", "-Wextra", "-g", "-gdwarf-4", "-O1",                \
        "-fno-omit-frame-pointer", "-pthread", "-U_FORTIFY_SOURCE",            \
        "-fdiagnostics-color=never", without_carets()

/* Runs it with its stderr in `log`. Returns its exit status, or -1. */
static int run(const char *const argv[], const char *folder, int log)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        int null = open("/dev/null", O_RDONLY);

        if (dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0 ||
            chdir(folder) < 0)
            _exit(126);
        setenv("LC_ALL", "C", 1);
        execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    if (pid < 0)
        return -1;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int compile(const char *folder, const char *file, const char *object,
                   int log)
{
    const char *const argv[] = {compiler(), FLAGS, "-c", "-o",
                                object,     file,  NULL};

    return run(argv, folder, log);
}

static bool is_file(const char *folder, const char *name)
{
    char path[PATH_MAX];
    struct stat info;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return lstat(path, &info) == 0 && S_ISREG(info.st_mode);
}

/* "file.c:12:3: error: words": the first one's place. */
static void note_first_error(struct program_build *build, int log)
{
    char line[1024];
    int copy = dup(log);
    FILE *lines = copy < 0 ? NULL : fdopen(copy, "r");

    if (!lines)
        return;
    rewind(lines);
    while (build->line == 0 && fgets(line, sizeof(line), lines))
        if (strstr(line, ": error: ") || strstr(line, ": fatal error: "))
            sscanf(line, "%255[^:]:%d", build->file, &build->line);
    fclose(lines);
}

static void keep_messages(struct program_build *build, int log)
{
    ssize_t n = pread(log, build->messages, sizeof(build->messages) - 1, 0);

    build->messages[n < 0 ? 0 : n] = '\0';
    note_first_error(build, log);
}

/* The toolbox goes through an archive: a program that needs none of it, or
 * brings its own write_all(), is linked without it. */
static int archive_toolbox(const char *folder, const char *object,
                           const char *archive, int log)
{
    const char *const argv[] = {"ar", "rcs", archive, object, NULL};

    unlink(archive);
    if (compile(folder, "net.c", object, log) != 0)
        return -1;
    return run(argv, "/", log);
}

static int link_program(const char *object, const char *archive,
                        const char *output, int log)
{
    const char *const argv[] = {compiler(), FLAGS,   "-o", output,
                                object,     archive, NULL};

    return run(argv, "/", log);
}

int program_build(struct program_build *build, const char *submission,
                  const char *step, const char *output)
{
    char file[64], object[PATH_MAX], toolbox[PATH_MAX], archive[PATH_MAX];
    bool has_toolbox = is_file(submission, "net.c");

    memset(build, 0, sizeof(*build));
    snprintf(file, sizeof(file), "%s.c", step);
    snprintf(object, sizeof(object), "%s.o", output);
    snprintf(toolbox, sizeof(toolbox), "%s.net.o", output);
    snprintf(archive, sizeof(archive), "%s.net.a", output);
    unlink(output);
    if (!is_file(submission, file)) {
        build->missing = true;
        return 0;
    }
    int log = memfd_create("compiler", MFD_CLOEXEC);
    if (log < 0)
        return -1;
    int status = compile(submission, file, object, log);
    if (status == 0) {
        if (has_toolbox)
            has_toolbox =
                archive_toolbox(submission, toolbox, archive, log) == 0;
        status =
            link_program(object, has_toolbox ? archive : NULL, output, log);
    }
    keep_messages(build, log);
    close(log);
    build->built = status == 0;
    if (status < 0 || status == 126 || status == 127) {
        errno = status == 127 ? ENOENT : EIO;
        return -1;
    }
    return 0;
}
