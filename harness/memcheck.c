/* memcheck.c - running the program under valgrind. */
#define _GNU_SOURCE
#include "memcheck.h"

#include "clock.h"
#include "rest.h"
#include "sandbox.h"
#include "source.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first version whose reports and options are these. */
#define OLDEST_MAJOR 3
#define OLDEST_MINOR 17

/* How long an end may take; the net below. */
#define END_NS 60000000000u

/* ---- Starting ---- */

static int in_trouble(struct memcheck *memcheck, const char *words)
{
    snprintf(memcheck->trouble, sizeof(memcheck->trouble), "%s", words);
    return -1;
}

/* execve(2) does not look along the PATH. */
static bool find_valgrind(char *path, size_t size)
{
    const char *at = getenv("PATH");

    for (at = at ? at : "/usr/local/bin:/usr/bin:/bin"; *at;) {
        size_t len = strcspn(at, ":");

        snprintf(path, size, "%.*s/valgrind", (int)len, at);
        if (len > 0 && access(path, X_OK) == 0)
            return true;
        at += len + (at[len] == ':');
    }
    return false;
}

/* "valgrind-3.19.0" */
static int check_version(struct memcheck *memcheck, const char *valgrind)
{
    char command[PATH_MAX + 32], words[128];
    int major = 0, minor = 0;

    snprintf(command, sizeof(command), "'%s' --version 2>/dev/null", valgrind);
    FILE *pipe = popen(command, "re");
    int parts = pipe ? fscanf(pipe, "valgrind-%d.%d", &major, &minor) : 0;
    if (pipe)
        pclose(pipe);
    if (parts != 2)
        return in_trouble(memcheck, "valgrind does not run here");
    if (major > OLDEST_MAJOR ||
        (major == OLDEST_MAJOR && minor >= OLDEST_MINOR))
        return 0;
    snprintf(words, sizeof(words),
             "valgrind %d.%d is too old: it takes %d.%d or newer", major, minor,
             OLDEST_MAJOR, OLDEST_MINOR);
    return in_trouble(memcheck, words);
}

/* The kit's own accesses, which lie beside the library. */
static void suppressions_option(char *text, size_t size, const char *interposer)
{
    const char *slash = strrchr(interposer, '/');
    int len = slash ? (int)(slash - interposer) + 1 : 0;

    snprintf(text, size, "--suppressions=%.*svalgrind.supp", len, interposer);
}

static int start(struct memcheck *memcheck, enum step_tool tool,
                 struct program *program, const char *valgrind,
                 const char *interposer)
{
    char reports[PATH_MAX + 32], suppressions[PATH_MAX + 32];
    const char *const common[] = {
        valgrind, "--command-line-only=yes", "--quiet", "--vgdb=no",
        "--log-file=/dev/null", "--xml=yes", reports, suppressions,
        "--num-callers=24",
        /* A large array is no other stack: the limit of a whole one. */
        "--max-stackframe=8388608",
        /* What runs once is translated once: a tenth less for each process. */
        "--vex-guest-chase=no",
        /* Valgrind need not prove itself at each process's end: a sixth. */
        "--sanity-level=0",
        /* The interposer's malloc stays, or none could be made to fail. */
        "--soname-synonyms=somalloc=nouserintercepts", "--run-libc-freeres=no"};
    const char *const memory[] = {"--tool=memcheck", "--leak-check=full",
                                  "--show-leak-kinds=definite,indirect",
                                  "--track-fds=yes", NULL};
    const char *const races[] = {"--tool=helgrind", "--track-lockorders=no",
                                 "--default-suppressions=no", NULL};
    const char *argv[24];
    const char *const *own = tool == TOOL_HELGRIND ? races : memory;
    size_t n = sizeof(common) / sizeof(common[0]);

    snprintf(reports, sizeof(reports), "--xml-file=%s/%%p.xml",
             memcheck->folder);
    suppressions_option(suppressions, sizeof(suppressions), interposer);
    memcpy(argv, common, sizeof(common));
    while ((argv[n] = *own++))
        n++;
    return program_open_under(program, argv, memcheck->binary, interposer);
}

int memcheck_open(struct memcheck *memcheck, enum step_tool tool,
                  struct program *program, const char *path,
                  const char *interposer)
{
    char valgrind[PATH_MAX];

    memset(memcheck, 0, sizeof(*memcheck));
    snprintf(memcheck->binary, sizeof(memcheck->binary), "%s", path);
    if (!find_valgrind(valgrind, sizeof(valgrind)))
        return in_trouble(memcheck, "there is no valgrind on this machine");
    if (check_version(memcheck, valgrind) < 0)
        return -1;
    sandbox_keep_names();
    const char *scratch = sandbox_scratch();
    snprintf(memcheck->folder, sizeof(memcheck->folder), "%.4000s.XXXXXX",
             *scratch ? scratch : path);
    if (*scratch)
        snprintf(memcheck->folder, sizeof(memcheck->folder),
                 "%.4000s/valgrind.XXXXXX", scratch);
    /* Valgrind writes as the submission's user. */
    if (!mkdtemp(memcheck->folder) ||
        (*scratch && chmod(memcheck->folder, 0777) < 0)) {
        memcheck->folder[0] = '\0';
        return in_trouble(memcheck, "no folder for valgrind's reports");
    }
    if (start(memcheck, tool, program, valgrind, interposer) == 0)
        return 0;
    memcheck_close(memcheck, NULL);
    return in_trouble(memcheck, "valgrind cannot run the program");
}

/* ---- Ending ---- */

/* Blocked for good, or for as long as any program would pause. */
static bool ignores_it(const struct rest *rest, unsigned same)
{
    return (rest->state == REST_BLOCKED && same >= 10) ||
           (rest_has_timeout(rest) && same >= 1000);
}

/* Waits until no process is left. Returns false where the program comes to
 * rest instead: it ignores the signal. */
static bool is_gone(struct program *program)
{
    struct rest last = {.state = REST_BUSY}, now;
    uint64_t begun_ns = clock_ns();
    unsigned same = 0;

    while (clock_ns() - begun_ns < END_NS) {
        bool ended = program_ended(program);

        if (program_signal(program, 0) == 0 && ended)
            return true;
        if (rest_look(&now, program) == 0) {
            same = rest_same(&last, &now) ? same + 1 : 0;
            last = now;
            if (ignores_it(&now, same))
                return false;
        }
        trace_wait(program->trace, atomic_load(&program->trace->seq), 2000);
    }
    return false;
}

/* Returns false where nothing but SIGKILL helped. */
static bool end_run(struct program *program)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGQUIT, SIGABRT};

    for (unsigned i = 0; i < trace_faults(program->trace); i++)
        trace_open_gate(program->trace, i);
    trace_let_begin(program->trace, UINT32_MAX);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        program_signal(program, signals[i]);
        if (is_gone(program))
            return true;
    }
    program_kill(program);
    return false;
}

/* ---- Gathering ---- */

/* Calls back for each report but the fork server's. Returns how many. */
static int each_report(const struct memcheck *memcheck, pid_t but,
                       int (*call)(const char *path, void *arg), void *arg)
{
    DIR *folder = opendir(memcheck->folder);
    char path[PATH_MAX + 300];
    struct dirent *entry;
    int count = 0;

    if (!folder)
        return 0;
    while ((entry = readdir(folder))) {
        if (entry->d_name[0] == '.' || atoi(entry->d_name) == but)
            continue;
        snprintf(path, sizeof(path), "%s/%s", memcheck->folder, entry->d_name);
        if (call(path, arg) >= 0)
            count++;
    }
    closedir(folder);
    return count;
}

struct gathering {
    struct findings *findings;
    const char *binary;
    bool cut; /* a report breaks off */
    bool bad; /* one cannot be read */
};

static int read_report(const char *path, void *arg)
{
    struct gathering *gathering = arg;
    int whole = findings_read(gathering->findings, path, gathering->binary);

    gathering->cut |= whole == 0;
    gathering->bad |= whole < 0;
    unlink(path);
    return whole;
}

static int remove_report(const char *path, void *arg)
{
    (void)arg;
    return unlink(path);
}

/* The frames of a record, as those of a finding. */
static size_t lines_of(const struct trace *trace, struct source *source,
                       const struct trace_record *record,
                       struct finding_frame *out, size_t most)
{
    struct source_frame frames[FINDING_FRAMES];
    size_t count = 0;

    for (int i = 0; i < TRACE_CALLERS && record->caller[i]; i++) {
        size_t n = source_find(source, record->caller[i] - trace->load_base,
                               frames, FINDING_FRAMES);

        for (size_t f = 0; f < n && count < most; f++, count++) {
            memcpy(out[count].function, frames[f].function,
                   sizeof(out[count].function));
            memcpy(out[count].file, frames[f].file, sizeof(out[count].file));
            out[count].line = frames[f].line;
        }
    }
    return count;
}

static bool closed_before(struct trace *trace, const struct trace_record *again,
                          struct trace_record *out)
{
    for (uint32_t serial = again->serial - 1; serial > 0; serial--)
        if (!trace_get(trace, serial, out))
            return false;
        else if (out->call == CALL_close && out->fd == again->fd &&
                 out->pid == again->pid)
            return out->result == 0;
    return false;
}

static void add_second_close(struct trace *trace, struct source *source,
                             const struct trace_record *record,
                             struct findings *findings)
{
    struct finding finding = {.obligation = OBLIGATION_descriptors,
                              .reports = 1};
    struct trace_record first;

    if (!closed_before(trace, record, &first))
        return;
    snprintf(finding.words, sizeof(finding.words),
             "closes descriptor %d a second time", record->fd);
    finding.frames =
        lines_of(trace, source, record, finding.at, FINDING_FRAMES);
    if (lines_of(trace, source, &first, &finding.other, 1) > 0)
        strcpy(finding.other_words, "first closed in");
    findings_add(findings, &finding);
}

/* A descriptor that is closed twice may be somebody else's by then. Valgrind
 * tells since 3.21, also of those who close whatever there may be; the trace
 * knows the difference. */
static void add_second_closes(struct memcheck *memcheck, struct trace *trace,
                              struct findings *findings)
{
    struct source *source = NULL;
    struct trace_record record;
    uint32_t newest = trace_newest(trace);

    for (uint32_t serial = trace_oldest(newest) + 1; serial <= newest;
         serial++) {

        if (!trace_get(trace, serial, &record) || record.call != CALL_close ||
            record.result != -1 || record.error != EBADF || record.injected)
            continue;
        if (!source)
            source = source_open(memcheck->binary);
        add_second_close(trace, source, &record, findings);
    }
    source_close(source);
}

/* Where the play left connections open, the program may hold what belongs to
 * them, perhaps where valgrind cannot see it: in the kernel, epoll_ctl(2). */
static void forget_what_grows(struct findings *findings)
{
    size_t kept = 0;

    for (size_t i = 0; i < findings->count; i++)
        if (!findings->finding[i].grows)
            findings->finding[kept++] = findings->finding[i];
    findings->count = kept;
}

int memcheck_collect(struct memcheck *memcheck, struct program *program,
                     bool settled, struct findings *findings)
{
    struct gathering gathering = {findings, memcheck->binary, false, false};

    memset(findings, 0, sizeof(*findings));
    bool ended = end_run(program);
    int reports =
        each_report(memcheck, program->server, read_report, &gathering);
    if (!settled)
        forget_what_grows(findings);
    add_second_closes(memcheck, program->trace, findings);
    if (findings->count > 0)
        return 0;
    if (reports == 0 || gathering.bad)
        return in_trouble(memcheck, "valgrind left no report");
    if (gathering.cut)
        return in_trouble(memcheck,
                          ended ? "valgrind was killed before its report was "
                                  "complete"
                                : "the program ignores every signal, so "
                                  "valgrind could not complete its report");
    return 0;
}

void memcheck_close(struct memcheck *memcheck, struct program *program)
{
    if (program && program->server > 0)
        program_close(program);
    if (!memcheck->folder[0])
        return;
    each_report(memcheck, 0, remove_report, NULL);
    rmdir(memcheck->folder);
    memcheck->folder[0] = '\0';
}

/* ---- The verdict ---- */

static const char *expected_of(enum obligation obligation)
{
    switch (obligation) {
    case OBLIGATION_leak:
        return "what is allocated for a client, or for a line, is freed again";
    case OBLIGATION_descriptors:
        return "each descriptor is closed, and closed once";
    case OBLIGATION_race:
        return "threads that share memory take turns, by a lock or otherwise";
    default:
        return "the program uses only memory that is its own, and no bytes "
               "that were never set";
    }
}

static size_t add(char *text, size_t size, size_t at, const char *words,
                  const struct finding_frame *frame)
{
    int n = at < size ? snprintf(text + at, size - at, "%s%s (%s:%d)", words,
                                 frame->function, frame->file, frame->line)
                      : 0;

    return at + (n > 0 ? (size_t)n : 0);
}

static void tell(const struct finding *finding, unsigned more,
                 struct verdict *verdict)
{
    char *text = verdict->came;
    size_t size = sizeof(verdict->came), at;

    at = (size_t)snprintf(text, size, "it %s", finding->words);
    if (finding->grows)
        at += (size_t)snprintf(text + at, size - at, ": %llu times in one run",
                               (unsigned long long)finding->blocks);
    if (finding->bytes > 0)
        at += (size_t)snprintf(text + at, size - at, ", %llu bytes in all",
                               (unsigned long long)finding->bytes);
    if (finding->other_words[0]) {
        at += (size_t)snprintf(text + at, size - at, ", %s ",
                               finding->other_words);
        at = add(text, size, at, "", &finding->other);
    }
    if (more > 0 && at < size)
        snprintf(text + at, size - at, "; and %u other finding%s", more,
                 more == 1 ? "" : "s");
}

void memcheck_judge(const struct findings *findings, enum obligation obligation,
                    struct verdict *verdict)
{
    unsigned more;
    const struct finding *finding = findings_first(findings, obligation, &more);
    size_t len = 0;

    verdict->status = finding ? VERDICT_FAIL : VERDICT_PASS;
    if (!finding)
        return;
    snprintf(verdict->expected, sizeof(verdict->expected), "%s",
             expected_of(obligation));
    tell(finding, more, verdict);
    verdict->hint = finding->hint;
    verdict->from[0] = '\0';
    for (size_t i = 1; i < finding->frames; i++)
        len = add(verdict->from, sizeof(verdict->from), len, i > 1 ? ", " : "",
                  &finding->at[i]);
    if (finding->frames == 0)
        return;
    memcpy(verdict->file, finding->at[0].file, sizeof(verdict->file));
    memcpy(verdict->function, finding->at[0].function,
           sizeof(verdict->function));
    verdict->line = finding->at[0].line;
}
