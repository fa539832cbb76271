/* visits.c - every call of a client's visit x every failure, in one run. */
#define _GNU_SOURCE
#include "sweep_internal.h"

#include <setjmp.h>
#include <string.h>

#define AT_ONCE_MOST 2

static void says(struct play *play, struct peer *client)
{
    if (scene_client_is_over(play, client))
        return;
    play_send_pattern(play, client, 40);
    play_must(play, scene_client_is_settled, client,
              "the client is served, or its connection ends");
}

static void leaves(struct play *play, struct peer *client)
{
    if (!scene_client_is_over(play, client)) {
        play_half_close(play, client);
        play_must(play, scene_client_is_over, client, "its connection ends");
    }
    play_close(play, client);
}

/* Clients that are served, or not. All have come before the first is served:
 * what then goes wrong for one is not ordered with what does for another. */
static void visit_server(struct play *play, unsigned at_once)
{
    struct peer *client[AT_ONCE_MOST];

    for (unsigned i = 0; i < at_once; i++)
        client[i] = play_client(play);
    play_rest(play);
    for (unsigned i = 0; i < 2 * at_once; i++)
        says(play, client[i % at_once]);
    for (unsigned i = 0; i < at_once; i++)
        leaves(play, client[i]);
    play_rest(play);
}

static void visit(struct play *play, unsigned at_once)
{
    if (!play->step->is_client) {
        visit_server(play, at_once);
        return;
    }
    scene_of_client(play);
    play_stop(play);
}

/* The number of the connection that comes next. */
static int next_connection(struct play *play)
{
    return play->step->is_client
               ? (int)atomic_load(&play->program->trace->connects) + 1
               : (int)play->clients + 1;
}

/* The calls of a visit in which nothing fails. */
static void record(struct play *play, struct swept_calls *calls)
{
    struct trace *trace = play->program->trace;
    uint32_t since = atomic_load(&trace->entries);

    trace->recording = true;
    visit(play, 1);
    trace->recording = false;
    swept_calls_take(calls, trace, since);
}

/* What is lost once may be kept for good; what is lost each time grows: a
 * server has each failure twice. */
static void meet_failure(struct play *play, const struct fault *fault,
                         unsigned at_once)
{
    bool on_connection = fault->conn != FAULT_CONN_ANY;
    unsigned times = play->step->is_client ? 1 : 2;
    unsigned together = on_connection ? at_once : 1;

    for (unsigned done = 0; done < times; done += together) {
        struct fault plan[AT_ONCE_MOST];
        int conn = next_connection(play);

        for (unsigned i = 0; i < together; i++) {
            plan[i] = *fault;
            if (on_connection)
                plan[i].conn = conn + (int)i;
        }
        play_plan(play, plan, together);
        visit(play, together);
        play_forget_plan(play);
    }
}

/* Too large for the stack; a play may end in the middle. */
static struct worklist list;

static void meet_class(struct play *play, const struct swept_calls *calls,
                       unsigned at_once, enum failure_class class)
{
    memset(&list, 0, sizeof(list));
    list.class = class;
    list.is_client = play->step->is_client;
    list.survives_sigpipe = play->step->sweep.survives_sigpipe;
    worklist_add(&list, calls, NULL);
    for (size_t i = 0; i < list.count; i++)
        if (list.work[i].fault[0].last != FAULT_FOREVER)
            meet_failure(play, &list.work[i].fault[0], at_once);
}

static void visit_all(struct play *play, unsigned at_once)
{
    static struct swept_calls calls;

    play_forget_plan(play);
    record(play, &calls);
    if (!play->step->sweep.every_call)
        meet_class(play, &calls, at_once, CLASS_COUNT);
    else
        for (int class = 0; class < CLASS_COUNT; class ++)
            meet_class(play, &calls, at_once, (enum failure_class) class);
}

void sweep_visits(struct play *play, unsigned at_once)
{
    const struct verdict before = *play->verdict;
    jmp_buf escape, *outer = play->escape;

    /* cppcheck-suppress autoVariables ; put back below */
    play->escape = &escape;
    if (setjmp(escape) == 0) {
        visit_all(play, at_once);
        play->escape = outer;
        return;
    }
    play->escape = outer;
    if (play->verdict->status == VERDICT_ERROR)
        play_end_failed(play);
    *play->verdict = before;
    play->unsettled = true;
}
