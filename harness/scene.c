/* scene.c - the sweep's scene: small, but with every kind of call in it; and
 * what a failure of each class may cost. */
#define _GNU_SOURCE
#include "schedule.h"
#include "sweep_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

/* ---- Clients that may be lost ---- */

bool scene_client_is_settled(struct play *play, void *arg)
{
    const struct peer *peer = arg;

    (void)play;
    return peer->received >= peer->queued || peer->eof || peer->error;
}

bool scene_client_is_over(struct play *play, void *arg)
{
    const struct peer *peer = arg;

    (void)play;
    return peer->eof || peer->error;
}

/* Whose rule it is that is looked at now; else the failure's own. */
static void breaks_rule(struct play *play, enum obligation obligation)
{
    play->verdict->has_obligation = true;
    play->verdict->obligation = obligation;
}

/* ---- A shortage that lasts ---- */

/* A failure that is planned for ever, and has come. Returns its number from
 * 1; 0: none. Short counts may last; they are no shortage. */
static unsigned lasting_shortage(struct play *play)
{
    struct trace *trace = play->program->trace;

    for (unsigned i = 0; i < trace_faults(trace); i++)
        if (trace->fault[i].last == FAULT_FOREVER &&
            trace->fault[i].action == FAULT_ERRNO && play_fired(play, i))
            return i + 1;
    return 0;
}

struct wait {
    play_condition *settled;
    struct peer *client;
};

static bool settled_or_short(struct play *play, void *arg)
{
    const struct wait *wait = arg;

    return wait->settled(play, wait->client) || lasting_shortage(play) > 0;
}

/* While it lasts the program waits, or turns clients away, and does not
 * spin; then it passes. */
static void outlast_shortage(struct play *play)
{
    unsigned fault = lasting_shortage(play);

    if (fault == 0)
        return;
    expect_no_spin(play);
    play_fault_ends(play, fault - 1);
}

/* A lost client is told so: its connection ends. It never hangs. */
static void settle(const struct scene *scene, struct peer *client,
                   play_condition *settled)
{
    struct play *play = scene->play;
    struct wait wait = {settled, client};

    play->blame_conn = client->number;
    do {
        play_must(play, settled_or_short, &wait,
                  "each client is served, or its connection ends");
        outlast_shortage(play);
    } while (!settled(play, client));
}

/* It got the echo of all that it had to say, and then the end. */
static bool is_whole(const struct peer *client, uint64_t len)
{
    return client->received == len && client->eof && !client->error;
}

static void say(const struct scene *scene, struct peer *client, size_t len)
{
    if (client->eof || client->error)
        return;
    play_send_pattern(scene->play, client, len);
    settle(scene, client, scene_client_is_settled);
}

static void finish(const struct scene *scene, struct peer *client)
{
    play_half_close(scene->play, client);
    settle(scene, client, scene_client_is_over);
    if (scene->play->step->sweep.leaves_no_zombies)
        play_settle(scene->play); /* who served it has ended, too */
}

/* ---- What a failure may cost ---- */

static unsigned fired(struct play *play)
{
    struct trace *trace = play->program->trace;
    unsigned count = 0;

    for (unsigned i = 0; i < trace_faults(trace); i++)
        count += atomic_load(&trace->fault[i].fired);
    return count;
}

static unsigned breaks(struct play *play)
{
    struct trace *trace = play->program->trace;
    uint32_t newest = trace_newest(trace);
    struct trace_record record;
    bool counted[64] = {false};
    unsigned count = 0;

    for (uint32_t serial = newest; serial > trace_oldest(newest); serial--) {
        if (!trace_get(trace, serial, &record) || !record.error ||
            record.conn <= 0 || record.conn >= 64 || counted[record.conn])
            continue;
        if ((call_family(record.call) == FAMILY_READ ||
             call_family(record.call) == FAMILY_WRITE) &&
            (record.error == ECONNRESET || record.error == ETIMEDOUT ||
             record.error == EPIPE)) {
            counted[record.conn] = true;
            count++;
        }
    }
    return count;
}

static void judge_client(const struct scene *scene, const struct peer *client,
                         uint64_t len, unsigned *lost)
{
    struct play *play = scene->play;

    if (is_whole(client, len))
        return;
    play_settle(play); /* before the next comes: it may be about to end */
    ++*lost;
    play->blame_conn = client->number;
    if (!scene->fails || scene->class == CLASS_TRANSPARENT)
        play_fail(play, "no client notices the failure",
                  "client %d got %llu of %llu bytes, then %s", client->number,
                  (unsigned long long)client->received, (unsigned long long)len,
                  client->error ? strerrorname_np(client->error)
                                : "end of file");
    if (scene->class == CLASS_CONNECTION && !play_fired_for(play, client))
        play_fail(play, "the failure costs its own connection and no other",
                  "client %d, on another connection, got %llu of %llu bytes",
                  client->number, (unsigned long long)client->received,
                  (unsigned long long)len);
    if (*lost > fired(play))
        play_fail(play, "a shortage costs one client at the most",
                  "%u clients were lost", *lost);
}

/* ---- Afterwards ---- */

#define FAILURES_MOST 32 /* more than any plan holds, but for ever */

static void serve_a_fresh_client(const struct scene *scene, unsigned *lost)
{
    struct peer *fresh;
    int tries = 0;

    do {
        if (tries++ == FAILURES_MOST)
            play_fail(scene->play, "a fresh client is served",
                      "%d came, and none was", FAILURES_MOST);
        fresh = play_client(scene->play);
        say(scene, fresh, 20);
        finish(scene, fresh);
        judge_client(scene, fresh, 20, lost);
    } while (!is_whole(fresh, 20));
}

static bool holds_no_more(struct play *play, void *arg)
{
    const struct scene_baseline *baseline = arg;
    struct scene_baseline now;

    scene_measure(play, &now);
    return now.processes <= baseline->processes &&
           now.threads <= baseline->threads &&
           !census_holds_more(baseline->descriptors, now.descriptors);
}

__attribute__((noreturn)) static void
left_behind(struct play *play, const char *what, unsigned now, unsigned before)
{
    play_fail(play, "what was made for a client is gone with it",
              "at rest it has %u %s, where it has %u without the failure", now,
              what, before);
}

static void compare_with(struct play *play,
                         const struct scene_baseline *baseline)
{
    struct scene_baseline now;
    enum play_end end;

    do {
        end = play_until(play, holds_no_more, (void *)baseline);
    } while (end == END_HOLDS && !holds_no_more(play, (void *)baseline));
    if (end == END_HOLDS)
        return;
    scene_measure(play, &now);
    if (now.processes > baseline->processes)
        left_behind(play, "processes", now.processes, baseline->processes);
    if (now.threads > baseline->threads)
        left_behind(play, "threads", now.threads, baseline->threads);
    breaks_rule(play, OBLIGATION_descriptors);
    left_behind(play, "descriptors", now.descriptors.all,
                baseline->descriptors.all);
}

void scene_measure(struct play *play, struct scene_baseline *baseline)
{
    *baseline = (struct scene_baseline){
        .known = true,
        .processes = play_processes(play),
        .threads = (unsigned)census_thread_count(play->program->pid),
        .descriptors = census_held(play->program->pid),
    };
}

static void clean_up(const struct scene *scene)
{
    struct play *play = scene->play;

    play_rest(play);
    if (scene->baseline->known)
        compare_with(play, scene->baseline);
    if (play->step->sweep.leaves_no_zombies) {
        breaks_rule(play, OBLIGATION_zombie);
        expect_no_zombies(play);
    }
    if (play->step->sweep.owes) {
        breaks_rule(play, OBLIGATION_sigpipe);
        play->step->sweep.owes(play, breaks(play));
    }
    play->verdict->has_obligation = false;
    expect_alive(play);
}

/* ---- The server's scene ---- */

static bool listens_or_ends(struct play *play, void *arg)
{
    (void)arg;
    return atomic_load(&play->program->trace->listens) > 0 ||
           program_ended(play->program);
}

/* Returns false where it could not start, and said so rightly. */
static bool start_server(const struct scene *scene)
{
    struct play *play = scene->play;

    /* A shortage that comes before the first client may end the run, too. */
    if (scene->class < CLASS_RESOURCE || !scene->fails) {
        play_serve(play);
        return true;
    }
    play_start(play, (const char *const[]){play_port_text(play), NULL});
    play_must(play, listens_or_ends, NULL,
              "it listens, or says why it cannot and exits with 1");
    play_await_clients(play);
    play_settle(play);
    if (!program_ended(play->program))
        return true; /* another address will do, or it needs it later */
    expect_exit(play, 1);
    return false;
}

/* Two clients at once, the second of whom may have to wait for the first;
 * one after them. Each half-closes when it has got all of its echo: what is
 * still under way then is the affair of other cases. */
static void usual_clients(const struct scene *scene, unsigned *lost)
{
    struct play *play = scene->play;

    struct peer *one = play_client(play);
    say(scene, one, 40);
    struct peer *two = play_client(play);
    play_settle_soon(play);
    say(scene, one, 120);
    finish(scene, one);
    judge_client(scene, one, 160, lost);
    say(scene, two, 60);
    finish(scene, two);
    judge_client(scene, two, 60, lost);
    struct peer *three = play_client(play);
    say(scene, three, 80);
    finish(scene, three);
    judge_client(scene, three, 80, lost);
}

/* As a schedule has it. Then the rest of them end, in their order: the first
 * may have to, before the second is served. */
static void scheduled_clients(const struct scene *scene, unsigned *lost)
{
    struct schedule_client clients[SCHEDULE_CLIENTS];
    struct schedule schedule;
    const char *error;

    if (schedule_parse(&schedule, scene->play->step->sweep.schedule, &error) <
        0)
        play_fail(scene->play, "a schedule", "%s", error);
    size_t count = schedule_play(&schedule, scene->play, clients);
    for (size_t i = 0; i < count; i++) {
        struct peer *peer = clients[i].peer;

        if (clients[i].reset)
            continue;
        if (!clients[i].half_closed)
            play_half_close(scene->play, peer);
        settle(scene, peer, scene_client_is_over);
        if (peer->queued > 0) /* who says nothing has nothing to lose */
            judge_client(scene, peer, peer->queued, lost);
    }
}

static void server_scene(const struct scene *scene)
{
    unsigned lost = 0;

    if (!start_server(scene))
        return;
    if (scene->play->step->sweep.schedule)
        scheduled_clients(scene, &lost);
    else
        usual_clients(scene, &lost);
    serve_a_fresh_client(scene, &lost);
    clean_up(scene);
}

/* ---- The client's scene ---- */

static bool accepted_or_ended(struct play *play, void *arg)
{
    struct peer **server = arg;

    if (!*server)
        *server = play_accept_now(play, ANSWER_ECHO);
    return *server || program_ended(play->program);
}

static bool echoed_or_ended(struct play *play, void *arg)
{
    const struct peer *user = arg;

    return user->received >= user->queued || program_ended(play->program);
}

static bool has_ended(struct play *play, void *arg)
{
    (void)arg;
    return program_ended(play->program);
}

/* The server answers when a line has come whole: else the pieces of the echo
 * would be of any size. */
static void type_lines(struct play *play, struct peer *user,
                       struct peer *server)
{
    static const char *const lines[] = {"one\n", "two and two\n", "three\n"};

    for (int i = 0; i < 3 && !program_ended(play->program); i++) {
        play_pause(play, server);
        play_send(play, user, lines[i]);
        play_settle_soon(play);
        play_resume(play, server);
        play_must(play, echoed_or_ended, user,
                  "each line's echo is shown, or the client ends");
    }
}

/* 0 where all came back, 1 with a message where not: never anything else. */
static void judge_end(const struct scene *scene, const struct peer *user,
                      uint64_t typed)
{
    struct play *play = scene->play;
    int status;

    while (play_pump(play))
        continue;
    bool whole = user->received == typed;
    status = play->program->status;
    if (whole && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    if (!scene->fails || scene->class == CLASS_TRANSPARENT)
        expect_exit(play, 0);
    if (!scene->fails || scene->class == CLASS_TRANSPARENT)
        play_fail(
            play, "every byte comes back", "stdout got %llu of %llu bytes",
            (unsigned long long)user->received, (unsigned long long)typed);
    expect_exit(play, 1);
}

struct peer *scene_of_client(struct play *play)
{
    struct peer *server = NULL;
    struct peer *user = play_start_user(
        play, (const char *const[]){"127.0.0.1", play_port_text(play), NULL},
        false);
    play_must(play, accepted_or_ended, &server,
              "the client connects, or says why it cannot and exits with 1");
    if (server) {
        server->half_close = true; /* once it has seen the end */
        type_lines(play, user, server);
    }
    play_half_close(play, user);
    play_must(play, has_ended, NULL, "the client ends");
    return user;
}

void scene_play(const struct scene *scene)
{
    if (!scene->play->step->is_client) {
        server_scene(scene);
        return;
    }
    play_listen(scene->play, "127.0.0.1");
    judge_end(scene, scene_of_client(scene->play), 22); /* type_lines() */
}
