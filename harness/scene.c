/* scene.c - the sweep's scene: small, but with every kind of call in it; and
 * what a failure of each class may cost. */
#define _GNU_SOURCE
#include "sweep_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

/* ---- Clients that may be lost ---- */

static bool is_settled(struct play *play, void *arg)
{
    const struct peer *peer = arg;

    (void)play;
    return peer->received >= peer->queued || peer->eof || peer->error;
}

static bool is_over(struct play *play, void *arg)
{
    const struct peer *peer = arg;

    (void)play;
    return peer->eof || peer->error;
}

/* A lost client is told so: its connection ends. It never hangs. */
static void settle(struct play *play, struct peer *client,
                   play_condition *settled)
{
    play->blame_conn = client->number;
    play_must(play, settled, client,
              "each client is served, or its connection ends");
}

static bool is_whole(const struct peer *client)
{
    return client->received == client->queued && client->eof && !client->error;
}

static void say(struct play *play, struct peer *client, size_t len)
{
    if (client->eof || client->error)
        return;
    play_send_pattern(play, client, len);
    settle(play, client, is_settled);
}

static void finish(struct play *play, struct peer *client)
{
    play_half_close(play, client);
    settle(play, client, is_over);
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

/* Was that connection the one whose call failed? */
static bool is_victim(struct play *play, const struct peer *client)
{
    struct trace *trace = play->program->trace;

    for (unsigned i = 0; i < trace_faults(trace); i++)
        if (trace->fault[i].conn == client->number && play_fired(play, i))
            return true;
    return false;
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
                         unsigned *lost)
{
    struct play *play = scene->play;

    if (is_whole(client))
        return;
    ++*lost;
    play->blame_conn = client->number;
    if (!scene->fails || scene->class == CLASS_TRANSPARENT)
        play_fail(play, "no client notices the failure",
                  "client %d got %llu of %llu bytes, then %s", client->number,
                  (unsigned long long)client->received,
                  (unsigned long long)client->queued,
                  client->error ? strerrorname_np(client->error)
                                : "end of file");
    if (scene->class == CLASS_CONNECTION && !is_victim(play, client))
        play_fail(play, "the failure costs its own connection and no other",
                  "client %d, on another connection, got %llu of %llu bytes",
                  client->number, (unsigned long long)client->received,
                  (unsigned long long)client->queued);
    if (*lost > fired(play))
        play_fail(play, "a shortage costs one client at the most",
                  "%u clients were lost", *lost);
}

/* ---- Afterwards ---- */

static void serve_a_fresh_client(const struct scene *scene, unsigned *lost)
{
    struct peer *fresh;

    do {
        fresh = play_client(scene->play);
        say(scene->play, fresh, 64);
        finish(scene->play, fresh);
        judge_client(scene, fresh, lost);
    } while (!is_whole(fresh));
}

static bool holds_no_more(struct play *play, void *arg)
{
    const struct scene_baseline *baseline = arg;
    struct scene_baseline now;

    scene_measure(play, &now);
    return now.processes <= baseline->processes &&
           now.threads <= baseline->threads &&
           now.descriptors <= baseline->descriptors;
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
    play_fail(play, "what served a broken connection is gone with it",
              "at rest it has %u processes, %u threads and %u descriptors; "
              "without the failure %u, %u and %u",
              now.processes, now.threads, now.descriptors, baseline->processes,
              baseline->threads, baseline->descriptors);
}

void scene_measure(struct play *play, struct scene_baseline *baseline)
{
    struct census_fd none;
    int descriptors = census_fds(play->program->pid, &none, 0);

    *baseline = (struct scene_baseline){
        .known = true,
        .processes = play_processes(play),
        .threads = (unsigned)census_thread_count(play->program->pid),
        .descriptors = descriptors < 0 ? 0 : (unsigned)descriptors,
    };
}

static void clean_up(const struct scene *scene)
{
    struct play *play = scene->play;

    if (scene->baseline->known)
        compare_with(play, scene->baseline);
    if (play->step->sweep.leaves_no_zombies)
        expect_no_zombies(play);
    if (play->step->sweep.owes)
        play->step->sweep.owes(play, breaks(play));
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

    if (scene->class != CLASS_STARTUP || !scene->fails) {
        play_serve(play);
        return true;
    }
    play_start(play, (const char *const[]){play_port_text(play), NULL});
    play_must(play, listens_or_ends, NULL,
              "it listens, or says why it cannot and exits with 1");
    play_settle(play);
    if (!program_ended(play->program))
        return true; /* another address will do, or it needs it later */
    expect_exit(play, 1);
    return false;
}

/* Two clients at once, the second of whom may have to wait for the first;
 * one after them, who half-closes behind all that it sends. */
static void server_scene(const struct scene *scene)
{
    struct play *play = scene->play;
    unsigned lost = 0;

    if (!start_server(scene))
        return;
    struct peer *one = play_client(play);
    say(play, one, 60);
    struct peer *two = play_client(play);
    say(play, one, 700);
    finish(play, one);
    judge_client(scene, one, &lost);
    say(play, two, 300);
    finish(play, two);
    judge_client(scene, two, &lost);
    struct peer *three = play_client(play);
    play_send_pattern(play, three, 500);
    finish(play, three);
    judge_client(scene, three, &lost);
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

static void type_lines(struct play *play, struct peer *user)
{
    static const char *const lines[] = {"one\n", "two and two\n", "three\n"};

    for (int i = 0; i < 3 && !program_ended(play->program); i++) {
        play_send(play, user, lines[i]);
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

static void client_scene(const struct scene *scene)
{
    struct play *play = scene->play;
    struct peer *server = NULL;
    const uint64_t typed = 22; /* of type_lines() */

    play_listen(play, "127.0.0.1");
    struct peer *user = play_start_user(
        play, (const char *const[]){"127.0.0.1", play_port_text(play), NULL},
        false);
    play_must(play, accepted_or_ended, &server,
              "the client connects, or says why it cannot and exits with 1");
    if (server)
        server->half_close = true; /* once it has seen the end */
    type_lines(play, user);
    play_half_close(play, user);
    play_must(play, has_ended, NULL, "the client ends");
    judge_end(scene, user, typed);
}

void scene_play(const struct scene *scene)
{
    if (scene->play->step->is_client)
        client_scene(scene);
    else
        server_scene(scene);
}
