/* play_fail.c - a play ends with a verdict: what was expected, what came, and
 * what it points at. */
#define _GNU_SOURCE
#include "play_internal.h"

#include "blame.h"
#include "census.h"
#include "story.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* What led up to the verdict: the last rows of the story. */
static void keep_story(struct play *play)
{
    struct story story;

    if (story_take(&story, play) < 0)
        return;
    story_tail(&story, 8, play->verdict->story, sizeof(play->verdict->story));
    story_release(&story);
}

static void keep_last_printed(struct play *play)
{
    const struct play_text *errors = &play->errors;
    const char *text = play_errors(play);
    size_t len = strlen(text), room = sizeof(play->verdict->printed) - 1;

    if (errors->lost >= sizeof(errors->last)) {
        snprintf(play->verdict->printed, sizeof(play->verdict->printed),
                 "(%llu bytes in all)\n%.400s",
                 (unsigned long long)errors->len + errors->lost,
                 errors->last + sizeof(errors->last) - 401);
        return;
    }
    if (len > room) {
        text += len - room;
        const char *line = strchr(text, '\n'); /* the first is cut off */
        text = line && line[1] ? line + 1 : text;
    }
    snprintf(play->verdict->printed, sizeof(play->verdict->printed), "%s",
             text);
}

/* One of the limits may be behind what the play saw of it. */
static void add_limit(struct play *play)
{
    char *came = play->verdict->came;
    size_t len = strlen(came), room = sizeof(play->verdict->came) - len;
    int status = program_ended(play->program) ? play->program->status : 0;
    const char *limit =
        WIFSIGNALED(status) ? program_limit_text(WTERMSIG(status)) : "";
    struct census_fd fds[1];

    if (*limit && !strstr(came, limit))
        snprintf(came + len, room, "; it was killed by SIG%s%s",
                 sigabbrev_np(WTERMSIG(status)), limit);
    else if (play->program->running && play->descriptors_room == 0 &&
             play->taken[1] == 0 &&
             census_fds(play->program->pid, fds, 1) >= (int)play->descriptors)
        snprintf(came + len, room, "; all of its %u descriptors are in use",
                 play->descriptors);
}

void play_explain(struct play *play, const char *why, const char *hint)
{
    play->why = why;
    play->hint = hint;
}

void play_blame(struct play *play, enum play_blame blame)
{
    play->blame = play->blame_of_case = blame;
}

void play_blame_process(struct play *play, pid_t pid, const struct peer *peer)
{
    play->blame_pid = pid;
    play->blame_conn = peer->number;
    play_blame(play, BLAME_HOLDER);
}

void play_blame_for(struct play *play, enum play_blame blame)
{
    if (play->blame_of_case == BLAME_BY_ITSELF)
        play->blame = blame;
}

void play_end_failed(struct play *play)
{
    if (play->escape)
        longjmp(*play->escape, 1);
    fail();
    abort(); /* cmocka's fail() does not return; the compiler can't know */
}

/* A quarter of a MiB, a byte at a time, is less. */
#define LAST_CALLS 600000u

/* The line and the story shall not depend on how far the program had come
 * when the verdict fell: it does first what it is going to do. */
static void let_it_finish(struct play *play)
{
    if (play->program->running && !play->hangs && !play->spins)
        play_settle_within(play, LAST_CALLS);
    program_ended(play->program);
}

void play_fail(struct play *play, const char *expected, const char *came, ...)
{
    va_list list;

    play_pump(play);
    play->verdict->status = VERDICT_FAIL;
    play->verdict->why = play->why;
    play->verdict->hint = play->hint;
    snprintf(play->verdict->expected, sizeof(play->verdict->expected), "%s",
             expected);
    va_start(list, came);
    vsnprintf(play->verdict->came, sizeof(play->verdict->came), came, list);
    va_end(list);
    let_it_finish(play);
    add_limit(play);
    keep_last_printed(play);
    blame_fill(play);
    keep_story(play);
    blame_end(play);
    play_end_failed(play);
}
