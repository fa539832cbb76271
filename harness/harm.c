/* harm.c - what the failures of a sweep did, by the student's source line. */
#define _GNU_SOURCE
#include "sweep_internal.h"

#include "source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS 64

/* One kind of failure of the calls at one line. */
struct group {
    char file[64], function[64];
    int line;
    enum call_family family;
    enum fault_action action;
    int value; /* errno; all short counts are one kind */
    unsigned injected, harmed;
    size_t example; /* the first that did harm */
};

struct groups {
    struct group group[GROUPS];
    size_t count;
};

static struct group group_for(struct source *source, const struct work *work)
{
    struct source_frame frame[SOURCE_FRAMES] = {0};
    const struct failure *failure = work->failure;
    struct group group = {.family = failure->family, .action = failure->action};

    if (failure->action != FAULT_SHORT)
        group.value = failure->value;
    source_find(source, work->call.site, frame, SOURCE_FRAMES);
    memcpy(group.file, frame[0].file, sizeof(group.file));
    memcpy(group.function, frame[0].function, sizeof(group.function));
    group.line = frame[0].line;
    return group;
}

static bool is_same(const struct group *a, const struct group *b)
{
    return a->line == b->line && strcmp(a->file, b->file) == 0 &&
           strcmp(a->function, b->function) == 0 && a->family == b->family &&
           a->action == b->action && a->value == b->value;
}

/* The last one takes what there is no room for. */
static struct group *find_group(struct groups *groups, const struct group *kind)
{
    for (size_t i = 0; i < groups->count; i++)
        if (is_same(&groups->group[i], kind))
            return &groups->group[i];
    if (groups->count == GROUPS)
        return &groups->group[GROUPS - 1];
    groups->group[groups->count] = *kind;
    return &groups->group[groups->count++];
}

static void count(struct sweep *sweep, struct groups *groups)
{
    struct source *source = source_open(sweep->play->binary);
    struct verdict *verdict = sweep->play->verdict;

    for (size_t i = 0; i < sweep->list.count; i++) {
        const struct outcome *outcome = &sweep->outcome[i];
        struct group kind = group_for(source, &sweep->list.work[i]);
        struct group *group;

        if (!outcome->fired)
            continue; /* the run went another way before */
        group = find_group(groups, &kind);
        group->injected++;
        verdict->injected++;
        if (outcome->verdict.status == VERDICT_PASS)
            verdict->survived++;
        else if (group->harmed++ == 0)
            group->example = i;
    }
    source_close(source);
}

static const char *error_name(const struct failure *failure)
{
    if (failure->family != FAMILY_GETADDRINFO)
        return strerrorname_np(failure->value);
    return failure->value == ENOMEM ? "EAI_MEMORY" : "EAI_AGAIN";
}

/* "short write", "accept() = EMFILE" */
static char *kind_name(const struct work *work, char *text, size_t size)
{
    const struct failure *failure = work->failure;

    if (failure->action == FAULT_SHORT)
        snprintf(text, size, "short %s",
                 failure->family == FAMILY_READ ? "read" : "write");
    else
        snprintf(text, size, "%s() = %s", call_name(work->call.call),
                 error_name(failure));
    return text;
}

/* "net.c:57 write_all(): short write did harm 12 of 14 times: ..."; what it
 * did is left out where it is what was told last. */
static const char *tell_group(const struct sweep *sweep,
                              const struct group *group, const char *last,
                              char *text, size_t size)
{
    const char *came = sweep->outcome[group->example].verdict.came;
    bool same = strcmp(came, last) == 0;
    size_t at = strlen(text);
    char kind[64];

    kind_name(&sweep->list.work[group->example], kind, sizeof(kind));
    snprintf(text + at, size - at,
             "%s%s:%d %s(): %s did harm %u of %u times%s%.160s", at ? "\n" : "",
             group->file[0] ? group->file : "?", group->line, group->function,
             kind, group->harmed, group->injected, same ? "" : ": ",
             same ? "" : came);
    return came;
}

/* The first in the list is told in full. */
static void tell_example(struct sweep *sweep, size_t i)
{
    struct verdict *verdict = sweep->play->verdict;
    const struct verdict *example = &sweep->outcome[i].verdict;
    unsigned injected = verdict->injected, survived = verdict->survived;
    bool has_obligation = example->has_obligation;

    *verdict = *example;
    verdict->injected = injected;
    verdict->survived = survived;
    work_format(&sweep->list.work[i], verdict->plan, sizeof(verdict->plan));
    snprintf(verdict->came, sizeof(verdict->came),
             "survived %u of %u injected failures; with %s, %.500s", survived,
             injected, verdict->plan, example->came);
    verdict->has_obligation = true;
    if (!has_obligation)
        verdict->obligation = failure_obligation(sweep->list.work[i].failure);
}

static const struct outcome *first_with(const struct sweep *sweep,
                                        enum verdict_status status)
{
    for (size_t i = 0; i < sweep->list.count; i++)
        if (sweep->outcome[i].verdict.status == status &&
            (status == VERDICT_ERROR || sweep->outcome[i].fired))
            return &sweep->outcome[i];
    return NULL;
}

/* What was left out, and why. */
static void tell_bounds(const struct sweep *sweep, struct verdict *verdict)
{
    size_t at = 0, size = sizeof(verdict->bounds);

    if (sweep->list.cut_off > 0)
        at = (size_t)snprintf(verdict->bounds, size,
                              "%u repetitions of calls were left out",
                              sweep->list.cut_off);
    if (sweep->differs[0] && at < size)
        snprintf(verdict->bounds + at, size - at, "%s%s", at ? "; " : "",
                 sweep->differs);
}

void harm_tell(struct sweep *sweep)
{
    struct verdict *verdict = sweep->play->verdict;
    const struct outcome *error = first_with(sweep, VERDICT_ERROR);
    const struct outcome *harmed = first_with(sweep, VERDICT_FAIL);
    struct groups *groups = calloc(1, sizeof(*groups));
    const char *last = "";

    if (error || !groups) {
        verdict->status = VERDICT_ERROR;
        snprintf(verdict->came, sizeof(verdict->came), "%s",
                 error ? error->verdict.came : "not graded: no memory");
        free(groups);
        return;
    }
    count(sweep, groups);
    verdict->status = VERDICT_PASS;
    if (harmed)
        tell_example(sweep, (size_t)(harmed - sweep->outcome));
    for (size_t i = 0; i < groups->count; i++)
        if (groups->group[i].harmed > 0)
            last = tell_group(sweep, &groups->group[i], last, verdict->harm,
                              sizeof(verdict->harm));
    tell_bounds(sweep, verdict);
    free(groups);
}
