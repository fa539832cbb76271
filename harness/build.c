/* build.c - compiling a submission: program_build() of program.h. */
#define _GNU_SOURCE
#include "program.h"

#include "clock.h"
#include "sandbox.h"
#include "symbols.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

/* An exercise takes a tenth of a second of CPU time and 50 MiB. */
#define COMPILE_S 10
static const struct sandbox_limits limits = {.cpu_s = COMPILE_S,
                                             .memory_bytes = 2048ull << 20,
                                             .file_bytes = 64 << 20,
                                             .processes = 256};
#define TOO_LONG 256 /* no status of a compiler's */

/* The environment may hold secrets; a compiler needs none of it. */
static __attribute__((noreturn)) void execute(const char *const argv[],
                                              const char *folder, int log)
{
    const char *path = getenv("PATH");
    int null = open("/dev/null", O_RDONLY);
    char path_is[4200], scratch[PATH_MAX + 8];
    char *const environment[] = {path_is, (char *)"LC_ALL=C", scratch, NULL};

    snprintf(path_is, sizeof(path_is), "PATH=%.4096s",
             path ? path : "/usr/bin:/bin");
    snprintf(scratch, sizeof(scratch), "TMPDIR=%s",
             *sandbox_scratch() ? sandbox_scratch() : "/tmp");
    if (dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0 ||
        chdir(folder) < 0)
        _exit(126);
    close_range(3, ~0U, 0);
    setpgid(0, 0);
    sandbox_confine(&limits);
    execvpe(argv[0], (char *const *)argv, environment);
    _exit(127);
}

/* A machine that stood still may count that time as the compiler's: then we
 * woke up much later than we wanted. */
#define LOOK_MS  100
#define STILL_NS 1000000000ull
static bool stood_still;

/* A compiler that waits for something uses no CPU time: the wall's clock is
 * the net below. */
static void end_if_too_long(pid_t pid, bool *ended)
{
    struct pollfd done = {(int)syscall(SYS_pidfd_open, pid, 0), POLLIN, 0};
    uint64_t looked_ns, now_ns = clock_ns();
    uint64_t end_ns = now_ns + 12 * COMPILE_S * 1000000000ull;

    do {
        looked_ns = now_ns;
        *ended = done.fd >= 0 && poll(&done, 1, LOOK_MS) == 0;
        now_ns = clock_ns();
        stood_still |= now_ns - looked_ns > STILL_NS;
    } while (*ended && now_ns < end_ns);
    if (*ended)
        kill(-pid, SIGKILL);
    if (done.fd >= 0)
        close(done.fd);
}

/* Runs it with its stderr in `log`. Returns its exit status, or -1. */
static int run(const char *const argv[], const char *folder, int log)
{
    pid_t pid = fork();
    bool ended;
    int status;

    if (pid == 0)
        execute(argv, folder, log);
    if (pid < 0)
        return -1;
    end_if_too_long(pid, &ended);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    if (ended)
        return TOO_LONG;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Has the program call the library for what valgrind does not see: an index
 * beyond an array that is not the heap's (interposer/bounds.c), and the order
 * that atomic operations make (interposer/atomic.c; clang inlines them all the
 * same). Of the same name, clang's check of bounds has another part, which
 * traps. */
static const char *const by_gcc[] = {
    "-fsanitize=bounds",
    "-fno-inline-atomics",
    "-D__atomic_test_and_set(at,order)="
    "__atomic_exchange_n((unsigned char *)(at),1,order)",
    "-D__atomic_clear(at,order)="
    "__atomic_store_n((unsigned char *)(at),0,order)",
    "-D__sync_lock_test_and_set(at,value)="
    "__atomic_exchange_n((at),(value),__ATOMIC_ACQUIRE)",
    "-D__sync_lock_release(at)=__atomic_store_n((at),0,__ATOMIC_RELEASE)",
    NULL};
static const char *const by_clang[] = {"-fsanitize=array-bounds", NULL};
static const char *const unchecked[] = {NULL};

static const char *const *all_checks(void)
{
    return strstr(compiler(), "clang") ? by_clang : by_gcc;
}

static int compile(const char *folder, const char *file, const char *object,
                   const char *const *checks, int log)
{
    const char *argv[32] = {compiler(), FLAGS, "-c", "-o", object, file};
    size_t count = 0;

    while (argv[count])
        count++;
    while (*checks)
        argv[count++] = *checks++;
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

/* What a compiler says when one of the limits ends it, and what that means
 * for who wrote the program. */
static const struct {
    const char *said, *means;
} limit_words[] = {
    {"CPU time limit exceeded", "it takes the compiler more than 10 seconds"},
    {"Killed signal terminated", "it takes the compiler too much"},
    {"File size limit exceeded", "it compiles to a file of more than 64 MiB"},
    {"File too large", "it compiles to a file of more than 64 MiB"},
    {"No space left on device", "it compiles to more than the scratch holds"},
    {"out of memory", "it takes the compiler more than 2 GiB of memory"},
    {"virtual memory exhausted",
     "it takes the compiler more than 2 GiB of memory"},
    {"Cannot allocate memory",
     "it takes the compiler more than 2 GiB of memory"},
    {"nested depth", "it includes itself, or 200 files in each other"}};

static const char *limit_of(const char *messages, int status)
{
    if (status == TOO_LONG)
        return "it keeps the compiler waiting for minutes";
    if (status == 128 + SIGXCPU)
        return limit_words[0].means;
    for (size_t i = 0; i < sizeof(limit_words) / sizeof(limit_words[0]); i++)
        if (strstr(messages, limit_words[i].said))
            return limit_words[i].means;
    return NULL;
}

/* The first of them; behind what they mean, where a limit ended it. */
static void keep_messages(struct program_build *build, int log, int status)
{
    static char all[256 * 1024]; /* of files included in each other */
    size_t room = sizeof(build->messages) - 256;
    ssize_t n = pread(log, build->messages, room, 0);
    ssize_t len = pread(log, all, sizeof(all) - 1, 0);

    build->messages[n < 0 ? 0 : n] = '\0';
    all[len < 0 ? 0 : len] = '\0';
    note_first_error(build, log);
    const char *limit = status == 0 ? NULL : limit_of(all, status);
    if (!limit)
        return;
    char *first = strdup(build->messages);
    snprintf(build->messages, sizeof(build->messages), "%s\n%s", limit,
             first ? first : "");
    free(first);
}

/* A program that needs none of the toolbox, or brings its own write_all(), is
 * linked without it, as ld(1) does with an archive. */
static bool make_toolbox(const char *folder, const char *object,
                         const char *toolbox, const char *const *checks,
                         int log)
{
    return is_file(folder, "net.c") &&
           compile(folder, "net.c", toolbox, checks, log) == 0 &&
           symbols_serve(toolbox, object);
}

static int link_program(const char *object, const char *toolbox,
                        const char *library, const char *output, int log)
{
    const char *const argv[] = {compiler(), FLAGS,  "-o",
                                output,     object, toolbox ? toolbox : library,
                                library,    NULL};

    return run(argv, "/", log);
}

/* Names that lead around the calls we can observe: by number, by look-up, by a
 * second name, or by a call that this exercise has no use for. */
static const char *const ways_around[] = {
    "syscall",        "dlsym",       "dlvsym",        "dlmopen",
    "_r_debug",       "clone",       "__clone",       "__fork",
    "__vfork",        "__wait",      "__waitpid",     "__read",
    "__write",        "__recv",      "__send",        "__socket",
    "__connect",      "__close",     "__fcntl",       "__dup2",
    "__poll",         "__select",    "__nanosleep",   "__sigaction",
    "__libc_fork",    "__libc_read", "__libc_write",  "__libc_accept",
    "__libc_send",    "__libc_recv", "__libc_malloc", "__libc_calloc",
    "__libc_realloc", "recvmmsg",    "sendmmsg",      "preadv2",
    "preadv64v2",     "pwritev2",    "pwritev64v2"};

static void note_way_around(const char *name, void *arg)
{
    struct program_build *build = arg;

    for (size_t i = 0; i < sizeof(ways_around) / sizeof(char *); i++)
        if (strcmp(name, ways_around[i]) == 0)
            strcpy(build->around, name);
}

/* With `library`, for bounds that are checked; NULL: as it is. Returns 0, or
 * the status of what failed. */
static int make_program(const char *submission, const char *step,
                        const char *library, const char *output, int log)
{
    char file[64], object[PATH_MAX], toolbox[PATH_MAX];
    const char *const *checks = library ? all_checks() : unchecked;

    snprintf(file, sizeof(file), "%s.c", step);
    snprintf(object, sizeof(object), "%s.o", output);
    snprintf(toolbox, sizeof(toolbox), "%s.net.o", output);
    unlink(output);
    int status = compile(submission, file, object, checks, log);
    if (status != 0)
        return status;
    bool helps = make_toolbox(submission, object, toolbox, checks, log);
    return link_program(object, helps ? toolbox : NULL, library, output, log);
}

static int build_once(struct program_build *build, const char *submission,
                      const char *step, const char *output)
{
    char file[64];

    memset(build, 0, sizeof(*build));
    snprintf(file, sizeof(file), "%s.c", step);
    if (!is_file(submission, file)) {
        unlink(output);
        build->missing = true;
        return 0;
    }
    int log = memfd_create("compiler", MFD_CLOEXEC);
    if (log < 0)
        return -1;
    int status = make_program(submission, step, NULL, output, log);
    keep_messages(build, log, status);
    close(log);
    build->built = status == 0;
    if (build->built)
        status = symbols_each(output, SYMBOLS_USED, note_way_around, build);
    if (status < 0 || status == 126 || status == 127) {
        errno = status == 127 ? ENOENT : EIO;
        return -1;
    }
    return 0;
}

/* What took too long while the machine stood still is tried again. */
int program_build(struct program_build *build, const char *submission,
                  const char *step, const char *output)
{
    const char *too_long = limit_words[0].means;

    stood_still = false;
    int result = build_once(build, submission, step, output);
    if (result == 0 && !build->built && stood_still &&
        strncmp(build->messages, too_long, strlen(too_long)) == 0)
        result = build_once(build, submission, step, output);
    return result;
}

int program_build_checked(const char *submission, const char *step,
                          const char *library, const char *output)
{
    int log = memfd_create("compiler", MFD_CLOEXEC);
    int status =
        log < 0 ? -1 : make_program(submission, step, library, output, log);

    if (log >= 0)
        close(log);
    return status == 0 ? 0 : -1;
}
