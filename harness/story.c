/* story.c - the rows of a story, from the trace and the play's acts. */
#define _GNU_SOURCE
#include "story.h"

#include "blame.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MANY    1000 /* of the same: more need no count */
#define BLOCKED " ... blocked"

/* Calls that explain nothing to a student. */
static bool is_told(const struct trace_record *record)
{
    switch (call_family(record->call)) {
    case FAMILY_SIGMASK:
    case FAMILY_FREEADDRINFO:
    case FAMILY_THREAD_START:
        return false;
    case FAMILY_MALLOC:
        return record->injected != 0;
    case FAMILY_PRINT: /* what came on stderr is shown as it is */
        return record->fd == 1;
    default:
        return true;
    }
}

/* The story's number of that process; 0: not one of the program's. */
static int process_of(struct trace *trace, int64_t pid)
{
    uint32_t count = atomic_load(&trace->threads);

    for (uint32_t i = 0; i < count && i < TRACE_THREADS; i++)
        if (trace->thread[i].pid == pid)
            return trace->thread[i].process;
    return 0;
}

/* getaddrinfo(3), RETURN VALUE. */
static const char *resolver_error(int64_t result)
{
    switch (result) {
    case EAI_NONAME:
        return "EAI_NONAME";
    case EAI_SERVICE:
        return "EAI_SERVICE";
    case EAI_AGAIN:
        return "EAI_AGAIN";
    case EAI_FAIL:
        return "EAI_FAIL";
    case EAI_MEMORY:
        return "EAI_MEMORY";
    case EAI_SYSTEM:
        return "EAI_SYSTEM";
    default:
        return NULL;
    }
}

/* Results that are more than a number. */
static bool is_named(struct trace *trace, const struct trace_record *record,
                     char *text, size_t size)
{
    enum call_family family = call_family(record->call);
    int process = 0;

    if (family == FAMILY_FORK || family == FAMILY_WAIT)
        process = process_of(trace, record->result);
    if (family == FAMILY_ACCEPT && record->conn > 0)
        snprintf(text, size, " = %lld, connection %d",
                 (long long)record->result, record->conn);
    else if (family == FAMILY_GETADDRINFO && resolver_error(record->result))
        snprintf(text, size, " = %s", resolver_error(record->result));
    else if (process > 0)
        snprintf(text, size, " = %lld, process %d", (long long)record->result,
                 process);
    else
        return false;
    return true;
}

static void describe_result(struct trace *trace,
                            const struct trace_record *record, char *text,
                            size_t size)
{
    if (record->returned == 0)
        snprintf(text, size,
                 record->call == CALL_exit || record->call == CALL__exit
                     ? ""
                     : BLOCKED);
    else if (record->error)
        snprintf(text, size, " = %s", strerrorname_np(record->error));
    else if (!is_named(trace, record, text, size))
        snprintf(text, size, " = %lld", (long long)record->result);
}

static void describe_kill(struct trace *trace, const struct trace_record *kill,
                          char *text, size_t size)
{
    const char *name = sigabbrev_np((int)kill->arg[1]);
    int process = process_of(trace, kill->arg[0]);

    if (process > 0)
        snprintf(text, size, "process %d, ", process);
    else
        snprintf(text, size, "%lld, ", (long long)kill->arg[0]);
    size_t at = strlen(text);
    snprintf(text + at, size - at, "%s%s", name ? "SIG" : "",
             name ? name : "0");
}

static void describe_arguments(struct trace *trace,
                               const struct trace_record *record, char *text,
                               size_t size)
{
    text[0] = '\0';
    if (record->call == CALL_kill) {
        describe_kill(trace, record, text, size);
        return;
    }
    switch (call_family(record->call)) {
    case FAMILY_READ:
    case FAMILY_WRITE:
    case FAMILY_SPLICE:
        if (record->conn > 0)
            snprintf(text, size, "connection %d, %lld", record->conn,
                     (long long)record->arg[0]);
        else
            snprintf(text, size, "%d, %lld", record->fd,
                     (long long)record->arg[0]);
        break;
    case FAMILY_ACCEPT:
        snprintf(text, size, "%d", record->fd);
        break;
    case FAMILY_POLL:
        if (record->timeout_ms >= 0)
            snprintf(text, size, "%d ms", record->timeout_ms);
        break;
    case FAMILY_EXIT:
        snprintf(text, size, "%lld", (long long)record->arg[0]);
        break;
    case FAMILY_WAIT:
        snprintf(text, size, "%lld", (long long)record->arg[0]);
        break;
    case FAMILY_GETADDRINFO:
    case FAMILY_UNSAFE:
    case FAMILY_EXECVE:
        snprintf(text, size, "%s", record->note);
        break;
    default:
        if (record->conn > 0)
            snprintf(text, size, "connection %d", record->conn);
        else if (record->fd >= 0)
            snprintf(text, size, "%d", record->fd);
        break;
    }
}

static bool has_ended(const struct play *play, int process)
{
    struct trace *trace = play->program->trace;
    uint32_t count = atomic_load(&trace->threads);

    for (uint32_t i = 0; i < count && i < TRACE_THREADS; i++)
        if (trace->thread[i].process == process)
            return strchr("XZ", census_state(trace->thread[i].pid)) != NULL;
    return false;
}

/* Its process has ended, or a jump has left it: siglongjmp(3). */
static void never_returned(struct story_row *row)
{
    char *blocked = strstr(row->act, BLOCKED);

    if (blocked)
        snprintf(blocked, sizeof(row->act) - (size_t)(blocked - row->act),
                 " ... never returned");
    row->blocked = false;
}

bool story_call(struct story_row *row, struct play *play,
                const struct trace_record *record)
{
    char arguments[48], result[48], place[96];

    if (!is_told(record))
        return false;
    memset(row, 0, sizeof(*row));
    row->at_ns = record->returned ? record->returned_ns : record->entered_ns;
    row->process = record->process;
    row->thread = record->thread;
    row->blocked = record->returned == 0;
    row->in_handler = record->in_handler != 0;
    row->injected = record->injected == FAULT_ERRNO ||
                    record->injected == FAULT_SHORT ||
                    record->injected == FAULT_DROP;
    if (record->thread > 1)
        snprintf(row->who, sizeof(row->who), "process %d.%d", record->process,
                 record->thread);
    else
        snprintf(row->who, sizeof(row->who), "process %d", record->process);
    describe_arguments(play->program->trace, record, arguments,
                       sizeof(arguments));
    describe_result(play->program->trace, record, result, sizeof(result));
    if (record->call == CALL_unsafe)
        snprintf(row->act, sizeof(row->act), "%s() in a signal handler",
                 record->note);
    else if (record->call == CALL_exit && record->caller[0] == 0)
        snprintf(row->act, sizeof(row->act), "main() returns %s", arguments);
    else if (record->call == CALL_print)
        snprintf(row->act, sizeof(row->act), "%s()", record->note);
    else
        snprintf(row->act, sizeof(row->act), "%s%s(%s)%s",
                 record->in_handler ? "in a handler: " : "",
                 call_name(record->call), arguments, result);
    if (row->blocked && has_ended(play, record->process))
        never_returned(row);
    blame_place(play, record->caller[0], place, sizeof(place));
    snprintf(row->where, sizeof(row->where), "%.90s",
             place[0] ? place + strlen(" at ") : "");
    return true;
}

/* "client 1 sends 6 bytes" -> who and act. */
static void make_act_row(struct story_row *row, const struct play_act *act)
{
    int number = 0, at = 0;
    char kind[16];

    memset(row, 0, sizeof(*row));
    row->at_ns = act->at_ns;
    if (sscanf(act->text, "%15[a-z] %d %n", kind, &number, &at) == 2 && at &&
        (strcmp(kind, "client") == 0 || strcmp(kind, "server") == 0)) {
        snprintf(row->who, sizeof(row->who), "%s %d", kind, number);
    } else if (strncmp(act->text, "the user ", 9) == 0) {
        snprintf(row->who, sizeof(row->who), "user");
        at = 9;
    } else {
        snprintf(row->who, sizeof(row->who), "play");
        at = 0;
    }
    snprintf(row->act, sizeof(row->act), "%.119s", act->text + at);
}

static int by_time(const void *a, const void *b)
{
    const struct story_row *x = a, *y = b;

    return x->at_ns < y->at_ns ? -1 : x->at_ns > y->at_ns;
}

void story_leave(struct story *story, int process, int thread)
{
    for (size_t i = story->count; i-- > 0;) {
        struct story_row *row = &story->row[i];

        if (row->process != process || row->thread != thread)
            continue;
        if (!row->blocked && !row->in_handler)
            break; /* it was here last time */
        if (row->blocked)
            never_returned(row);
    }
}

int story_take(struct story *story, struct play *play)
{
    struct trace *trace = play->program->trace;
    uint32_t newest = trace_newest(trace);
    uint32_t oldest = trace_oldest(newest);

    memset(story, 0, sizeof(*story));
    story->lost = oldest;
    story->row = calloc(newest - oldest + play->acts + 1, sizeof(*story->row));
    if (!story->row)
        return -1;
    for (uint32_t serial = oldest + 1; serial <= newest; serial++) {
        struct trace_record record;

        if (!trace_get(trace, serial, &record))
            continue;
        if (!record.in_handler && record.process)
            story_leave(story, record.process, record.thread);
        story->count += story_call(&story->row[story->count], play, &record);
    }
    for (size_t i = 0; i < play->acts; i++)
        make_act_row(&story->row[story->count++], &play->act[i]);
    qsort(story->row, story->count, sizeof(*story->row), by_time);
    return 0;
}

void story_release(struct story *story)
{
    free(story->row);
    memset(story, 0, sizeof(*story));
}

/* What the tail tells next: so many rows, which come so many times. */
struct passage {
    size_t rows, times;
};

#define CYCLE_MOST  3 /* rows in turn: a loop that polls */
#define CYCLE_LEAST 3 /* times, to be told as one */

static bool says_the_same(const struct story_row *a, const struct story_row *b)
{
    return strcmp(a->who, b->who) == 0 && strcmp(a->act, b->act) == 0 &&
           strcmp(a->where, b->where) == 0;
}

/* How many times the next `rows` rows come, one after the other. */
static size_t times_of(const struct story *story, size_t first, size_t rows)
{
    size_t i = first + rows;

    while (i < story->count &&
           says_the_same(&story->row[i], &story->row[i - rows]))
        i++;
    return (i - first) / rows;
}

static struct passage passage_at(const struct story *story, size_t first)
{
    size_t times = times_of(story, first, 1);

    for (size_t rows = 2; rows <= CYCLE_MOST && times == 1; rows++) {
        size_t cycles = times_of(story, first, rows);

        if (cycles >= CYCLE_LEAST)
            return (struct passage){rows, cycles};
    }
    return (struct passage){1, times};
}

/* Where the last `most` rows to be told begin. */
static size_t tail_begins(const struct story *story, size_t most)
{
    size_t first = 0, told = 0;
    struct passage passage;

    for (size_t i = 0; i < story->count; i += passage.rows * passage.times) {
        passage = passage_at(story, i);
        told += passage.rows;
    }
    for (; told > most; first += passage.rows * passage.times) {
        passage = passage_at(story, first);
        told -= passage.rows;
    }
    return first;
}

static const char *how_often(const struct passage *passage, char *text,
                             size_t size)
{
    static const char *const of_all[CYCLE_MOST + 1] = {"", "", "both ",
                                                       "all three "};

    text[0] = '\0';
    if (passage->times > MANY)
        snprintf(text, size, "  (%sx%d and more)", of_all[passage->rows], MANY);
    else if (passage->times > 1)
        snprintf(text, size, "  (%sx%zu)", of_all[passage->rows],
                 passage->times);
    return text;
}

char *story_tail(const struct story *story, size_t count, char *text,
                 size_t size)
{
    size_t at = 0;
    struct passage passage;

    text[0] = '\0';
    for (size_t i = tail_begins(story, count); i < story->count;
         i += passage.rows * passage.times) {
        char often[40];

        passage = passage_at(story, i);
        for (size_t k = 0; k < passage.rows && at < size; k++) {
            const struct story_row *row = &story->row[i + k];
            bool last = k + 1 == passage.rows;
            int n = snprintf(
                text + at, size - at, "%s%-11s %s%s%s%s%s", at > 0 ? "\n" : "",
                row->who, row->injected ? "! " : "", row->act,
                row->where[0] ? "  " : "", row->where,
                last ? how_often(&passage, often, sizeof(often)) : "");
            at += n < 0 ? 0 : (size_t)n;
        }
    }
    return text;
}
