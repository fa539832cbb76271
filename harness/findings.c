/* findings.c - reading valgrind's XML with expat.
 *
 * The format is described in valgrind's docs/internals/xml-output-protocol4:
 * an <error> has a <kind>, words, and stacks of <frame>s, each but the first
 * announced by words of its own.
 */
#define _GNU_SOURCE
#include "findings_internal.h"

#include <ctype.h>
#include <errno.h>
#include <expat.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct reader {
    XML_Parser parser;
    const char *program;
    struct findings own; /* of this process */
    struct report report;
    bool in_error, in_frame;
    bool whole;
    unsigned depth;
    char text[512];
    size_t len;
    bool no_memory;
};

/* ---- Whose fault, and in which line ---- */

static bool is_own(const struct reader *reader, const struct frame *frame)
{
    return strcmp(frame->object, reader->program) == 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), tail = strlen(end);

    return len >= tail && strcmp(text + len - tail, end) == 0;
}

/* The kit's wrappers and valgrind's replacements stand between a call and
 * libc's function. */
static bool is_between(const struct frame *frame)
{
    const char *name = strrchr(frame->object, '/');

    return ends_with(frame->object, "interposer.so") ||
           (name && strncmp(name, "/vgpreload_", 11) == 0);
}

static size_t own_frames(const struct reader *reader, const struct stack *stack,
                         struct finding_frame *out, size_t most)
{
    size_t count = 0;

    for (size_t i = 0; i < stack->frames && count < most; i++) {
        const struct frame *frame = &stack->frame[i];

        if (!is_own(reader, frame))
            continue;
        snprintf(out[count].function, sizeof(out[count].function), "%s",
                 frame->function);
        snprintf(out[count].file, sizeof(out[count].file), "%s", frame->file);
        out[count].line = frame->line;
        count++;
    }
    return count;
}

/* Helgrind cannot see the locks inside libc, so what libc does with memory
 * of its own looks like a race. A call that only moves the caller's bytes is
 * the caller's access. */
static bool is_callers_access(const struct reader *reader,
                              const struct stack *stack)
{
    static const char *const movers[] = {
        "read",    "recv",   "recvfrom", "recvmsg", "readv",  "write",
        "send",    "sendto", "sendmsg",  "writev",  "memcpy", "memmove",
        "mempcpy", "memset", "memcmp",   "memchr",  "bcmp",   "bcopy",
        "strlen",  "strcpy", "strncpy",  "strcmp",  "accept", "accept4"};
    size_t i = 0;

    if (stack->frames == 0 || is_own(reader, &stack->frame[0]))
        return stack->frames > 0;
    const char *name = stack->frame[0].function;
    name += strspn(name, "_");
    bool moves = false;
    for (size_t n = 0; n < sizeof(movers) / sizeof(movers[0]); n++) {
        size_t len = strlen(movers[n]);

        moves |= strncmp(name, movers[n], len) == 0 &&
                 (name[len] == '\0' || strchr("_@-", name[len]));
    }
    if (!moves)
        return false;
    for (i = 1; i < stack->frames && is_between(&stack->frame[i]); i++)
        continue;
    return i < stack->frames && is_own(reader, &stack->frame[i]);
}

/* ---- Keeping ---- */

static bool same_line(const struct finding_frame *a,
                      const struct finding_frame *b)
{
    return a->line == b->line && strcmp(a->file, b->file) == 0 &&
           strcmp(a->function, b->function) == 0;
}

/* A race is one, whichever of its two accesses came second. */
static bool same_fault(const struct finding *a, const struct finding *b)
{
    if (a->obligation != b->obligation)
        return false;
    if (a->obligation == OBLIGATION_race)
        return (same_line(&a->at[0], &b->at[0]) &&
                same_line(&a->other, &b->other)) ||
               (same_line(&a->at[0], &b->other) &&
                same_line(&a->other, &b->at[0]));
    return same_line(&a->at[0], &b->at[0]) && strcmp(a->words, b->words) == 0;
}

static struct finding *find(const struct findings *findings,
                            const struct finding *finding)
{
    for (size_t i = 0; i < findings->count; i++)
        if (same_fault(&findings->finding[i], finding))
            return &findings->finding[i];
    return NULL;
}

int findings_add(struct findings *findings, const struct finding *finding)
{
    if (!findings->finding || findings->count == findings->room) {
        size_t room = findings->room ? 2 * findings->room : 16;
        void *more =
            realloc(findings->finding, room * sizeof(*findings->finding));

        if (!more)
            return -1;
        findings->finding = more;
        findings->room = room;
    }
    findings->finding[findings->count++] = *finding;
    return 0;
}

/* Within one process, blocks add up. */
static void keep(struct reader *reader, const struct finding *finding)
{
    struct finding *known = find(&reader->own, finding);

    if (known) {
        known->reports += finding->reports;
        known->blocks += finding->blocks;
        known->bytes += finding->bytes;
    } else if (findings_add(&reader->own, finding) < 0) {
        reader->no_memory = true;
    }
}

/* Between processes, the one with the most counts. */
static int merge(struct findings *all, const struct findings *own)
{
    for (size_t i = 0; i < own->count; i++) {
        const struct finding *finding = &own->finding[i];
        struct finding *known = find(all, finding);

        if (!known) {
            if (findings_add(all, finding) < 0)
                return -1;
            continue;
        }
        known->reports += finding->reports;
        if (finding->blocks > known->blocks) {
            known->blocks = finding->blocks;
            known->bytes = finding->bytes;
        }
    }
    return 0;
}

static void note_other(const struct reader *reader, struct finding *finding)
{
    const struct report *report = &reader->report;
    const struct stack *stack = &report->stack[1];
    char verb[16] = "access";

    if (report->stacks < 2 ||
        own_frames(reader, stack, &finding->other, 1) == 0)
        return;
    if (finding->obligation == OBLIGATION_race) {
        sscanf(stack->words, "This conflicts with a previous %15s", verb);
        snprintf(finding->other_words, sizeof(finding->other_words),
                 "against the %s in", verb);
    } else {
        snprintf(finding->other_words, sizeof(finding->other_words), "%s",
                 strstr(stack->words, "free'd") ? "freed in" : "allocated in");
    }
}

/* A connection that is still open when its process ends. */
static void keep_descriptor(struct reader *reader, const struct stack *stack)
{
    struct finding finding = {.obligation = OBLIGATION_descriptors,
                              .words = "never closes what it accepts here",
                              .reports = 1,
                              .grows = true,
                              .blocks = 1};
    bool accepted = false;

    for (size_t i = 0; i < stack->frames; i++)
        accepted |= strncmp(stack->frame[i].function, "accept", 6) == 0;
    finding.frames = own_frames(reader, stack, finding.at, FINDING_FRAMES);
    if (accepted && finding.frames > 0)
        keep(reader, &finding);
}

static void keep_report(struct reader *reader)
{
    const struct report *report = &reader->report;
    const struct report_kind *kind = report_kind(report);
    struct finding finding = {
        .reports = 1, .blocks = report->blocks, .bytes = report->bytes};

    if (report->stacks == 0)
        return;
    if (strcmp(report->kind, "FdNotClosed") == 0)
        keep_descriptor(reader, &report->stack[0]);
    if (!kind)
        return;
    finding.obligation = kind->obligation;
    finding.grows = kind->obligation == OBLIGATION_leak;
    finding.frames =
        own_frames(reader, &report->stack[0], finding.at, FINDING_FRAMES);
    if (finding.frames == 0)
        return;
    if (kind->obligation == OBLIGATION_race &&
        !is_callers_access(reader, &report->stack[0]))
        return;
    kind->say(report, finding.words, sizeof(finding.words));
    finding.hint = report_hint(report);
    note_other(reader, &finding);
    keep(reader, &finding);
}

/* ---- Reading ---- */

static struct stack *open_stack(struct reader *reader)
{
    struct report *report = &reader->report;

    return report->stacks > 0 && report->stacks <= REPORT_STACKS
               ? &report->stack[report->stacks - 1]
               : NULL;
}

static struct frame *open_frame(struct reader *reader)
{
    struct stack *stack = open_stack(reader);

    return stack && stack->frames > 0 && stack->frames <= REPORT_FRAMES
               ? &stack->frame[stack->frames - 1]
               : NULL;
}

static void begin_stack(struct reader *reader)
{
    struct report *report = &reader->report;

    if (!reader->in_error)
        memset(report, 0, sizeof(*report));
    report->stacks++;
    struct stack *stack = open_stack(reader);
    if (stack)
        snprintf(stack->words, sizeof(stack->words), "%s", report->words);
    report->words[0] = '\0';
}

static void on_start(void *arg, const XML_Char *name, const XML_Char **attrs)
{
    struct reader *reader = arg;
    struct stack *stack;

    (void)attrs;
    reader->depth++;
    reader->len = 0;
    reader->text[0] = '\0';
    if (strcmp(name, "error") == 0) {
        reader->in_error = true;
        memset(&reader->report, 0, sizeof(reader->report));
    } else if (strcmp(name, "stack") == 0) {
        begin_stack(reader);
    } else if (strcmp(name, "frame") == 0 && (stack = open_stack(reader))) {
        if (stack->frames++ < REPORT_FRAMES)
            memset(&stack->frame[stack->frames - 1], 0, sizeof(struct frame));
    }
}

static void on_text(void *arg, const XML_Char *text, int len)
{
    struct reader *reader = arg;
    size_t room = sizeof(reader->text) - 1 - reader->len;
    size_t n = (size_t)len < room ? (size_t)len : room;

    memcpy(reader->text + reader->len, text, n);
    reader->len += n;
    reader->text[reader->len] = '\0';
}

/* Valgrind writes 1460 as "1,460". */
static void drop_commas(char *text)
{
    char *out = text;

    for (const char *at = text; *at; at++)
        if (*at != ',' || at == text || !isdigit((unsigned char)at[-1]) ||
            !isdigit((unsigned char)at[1]))
            *out++ = *at;
    *out = '\0';
}

static void take_frame_part(struct reader *reader, const char *name)
{
    struct frame *frame = open_frame(reader);

    if (!frame)
        return;
    if (strcmp(name, "obj") == 0)
        snprintf(frame->object, sizeof(frame->object), "%.255s", reader->text);
    else if (strcmp(name, "fn") == 0)
        snprintf(frame->function, sizeof(frame->function), "%.63s",
                 reader->text);
    else if (strcmp(name, "file") == 0)
        snprintf(frame->file, sizeof(frame->file), "%.63s", reader->text);
    else if (strcmp(name, "line") == 0)
        frame->line = atoi(reader->text);
}

/* Plain words come as <what> and <auxwhat>; those with figures as <xwhat>
 * and <xauxwhat>, which hold a <text>. */
static void take_report_part(struct reader *reader, const char *name)
{
    struct report *report = &reader->report;

    drop_commas(reader->text);
    if (strcmp(name, "kind") == 0)
        snprintf(report->kind, sizeof(report->kind), "%.31s", reader->text);
    else if (strcmp(name, "what") == 0)
        snprintf(report->what, sizeof(report->what), "%.255s", reader->text);
    else if (strcmp(name, "text") == 0 && !report->what[0])
        snprintf(report->what, sizeof(report->what), "%.255s", reader->text);
    else if (strcmp(name, "text") == 0 || strcmp(name, "auxwhat") == 0)
        snprintf(report->words, sizeof(report->words), "%.255s", reader->text);
    else if (strcmp(name, "leakedblocks") == 0)
        report->blocks = strtoull(reader->text, NULL, 10);
    else if (strcmp(name, "leakedbytes") == 0)
        report->bytes = strtoull(reader->text, NULL, 10);
}

static void on_end(void *arg, const XML_Char *name)
{
    struct reader *reader = arg;

    reader->depth--;
    take_frame_part(reader, name);
    if (reader->in_error)
        take_report_part(reader, name);
    if (strcmp(name, "error") == 0) {
        keep_report(reader);
        reader->in_error = false;
    } else if (strcmp(name, "stack") == 0 && reader->depth == 1) {
        /* One that belongs to no error: where a descriptor that is still
         * open was made (--track-fds, before version 3.21). */
        keep_descriptor(reader, &reader->report.stack[0]);
    } else if (reader->depth == 0) {
        reader->whole = true;
    }
    reader->len = 0;
}

/* Returns 1 whole, 0 breaks off, -1 with errno. */
static int parse(struct reader *reader, int fd)
{
    for (;;) {
        char buffer[16384];
        ssize_t n = read(fd, buffer, sizeof(buffer));

        if (n < 0)
            return -1;
        enum XML_Status status =
            XML_Parse(reader->parser, buffer, (int)n, n == 0);
        if (n == 0)
            return reader->whole;
        if (status != XML_STATUS_OK) {
            errno = EBADMSG;
            return -1;
        }
    }
}

int findings_read(struct findings *findings, const char *path,
                  const char *program)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    int fd = open(path, O_RDONLY | O_CLOEXEC), result = -1;

    if (!reader || fd < 0)
        goto out;
    reader->program = program;
    reader->parser = XML_ParserCreate(NULL);
    if (!reader->parser) {
        errno = ENOMEM;
        goto out;
    }
    XML_SetUserData(reader->parser, reader);
    XML_SetElementHandler(reader->parser, on_start, on_end);
    XML_SetCharacterDataHandler(reader->parser, on_text);
    result = parse(reader, fd);
    if (result >= 0 &&
        (reader->no_memory || merge(findings, &reader->own) < 0)) {
        errno = ENOMEM;
        result = -1;
    }
    XML_ParserFree(reader->parser);
    findings_release(&reader->own);
out:
    if (fd >= 0)
        close(fd);
    free(reader);
    return result;
}

void findings_release(struct findings *findings)
{
    free(findings->finding);
    memset(findings, 0, sizeof(*findings));
}

/* One block that nobody frees, or one connection that the end of its process
 * closes, costs nothing: what is lost each time, grows. */
static bool counts(const struct finding *finding)
{
    return !finding->grows || finding->blocks >= 2;
}

const struct finding *findings_first(const struct findings *findings,
                                     enum obligation obligation, unsigned *more)
{
    const struct finding *first = NULL;

    *more = 0;
    for (size_t i = 0; i < findings->count; i++) {
        if (findings->finding[i].obligation != obligation ||
            !counts(&findings->finding[i]))
            continue;
        if (first)
            ++*more;
        else
            first = &findings->finding[i];
    }
    return first;
}
