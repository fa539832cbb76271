/* 6_threaded_serve.c - step 6 while nothing fails: echo, many at once. */
#include "6_threaded.h"
#include "server.h"

#include <errno.h>

/* Does it listen on all addresses (the whole of 127/8 is local), and stay
 * when a client has come? */
void threaded_listens(struct play *play)
{
    play_serve(play);
    play_client(play);
    play_client_at(play, "127.0.0.2");
    play_rest(play);
    expect_alive(play);
}

/* Does each client get its line back before it ends, one after the other? */
void threaded_echoes(struct play *play)
{
    play_serve(play);
    for (int i = 0; i < 3; i++) {
        struct peer *client = play_client(play);

        play_send(play, client, "hello\n");
        expect_echo(play, client);
        play_send(play, client, "and again\n");
        expect_echo(play, client);
        play_half_close(play, client);
        expect_eof(play, client);
    }
    expect_alive(play);
}

static void gives_up(struct play *play, const char *const *args, int status)
{
    play_start(play, args);
    expect_exit(play, status);
}

static void gives_up_at(struct play *play, const char *plan, int error)
{
    unsigned fault = play_fault(play, plan);

    gives_up(play, (const char *const[]){play_port_text(play), NULL}, 1);
    expect_reason(play, error);
    play_fault_ends(play, fault);
}

/* Does it say why it cannot start? */
void threaded_says_why_not(struct play *play)
{
    gives_up(play, (const char *const[]){NULL}, 2);
    gives_up(play, (const char *const[]){play_port_text(play), "extra", NULL},
             2);
    gives_up(play, (const char *const[]){"no-such-port", NULL}, 1);
    gives_up_at(play, "listen#1..=EADDRINUSE", EADDRINUSE);
    gives_up_at(play, "bind#1..=EACCES", EACCES);
    gives_up_at(play, "socket#1..=EMFILE", EMFILE);
}

/* Can it be restarted while a connection of the old one is in TIME_WAIT? */
void threaded_restarts(struct play *play)
{
    play_serve(play);
    struct peer *client = play_client(play);
    play_send(play, client, "hello\n");
    expect_echo(play, client);
    play_stop(play); /* its end closes first: the wait is on its side */
    expect_gone(play, client);
    play_close(play, client);
    play_serve_again(play);
    expect_serves(play);
}

/* Does a client that half-closes and reads late get all of it? */
void threaded_drains(struct play *play)
{
    play_serve(play);
    struct peer *client = play_client(play);
    play_pause(play, client);
    play_send_pattern(play, client, MIB);
    play_half_close(play, client);
    play_rest(play);
    play_resume(play, client);
    expect_echo(play, client);
    expect_eof(play, client);
    expect_no_commands(play, play_client(play));
}

/* Are short reads and writes continued? */
void threaded_short_calls(struct play *play)
{
    play_serve(play);
    struct peer *client = play_client(play);
    play_send_pattern(play, client, 8 * KIB + 1);
    play_rest(play);
    play_half_close(play, client);
    expect_echo(play, client);
    expect_eof(play, client);
    server_goes_on_behind_a_short_write(play);
}

/* Are interrupted calls repeated? Where no handler could interrupt them,
 * nothing happens. */
void threaded_interrupted(struct play *play)
{
    play_serve(play);
    struct peer *client = play_client(play);
    for (int i = 0; i < 4; i++) {
        play_send(play, client, "hello\n");
        expect_echo(play, client);
    }
    play_half_close(play, client);
    expect_eof(play, client);
}

static void talk(struct play *play, struct peer *client, const char *text)
{
    play_send(play, client, text);
    expect_echo(play, client);
}

/* Are others served while one client is silent and one stops half-way? */
void threaded_silent_and_slow(struct play *play)
{
    play_serve(play);
    struct peer *silent = play_client(play);
    play_rest(play);
    struct peer *slow = play_client(play);
    talk(play, slow, "h");
    for (int i = 0; i < 3; i++)
        expect_serves(play);
    talk(play, slow, "ello\n");
    talk(play, silent, "at last\n");
    expect_serves(play);
}

#define MANY 130u

static bool has_a_thread_each(struct play *play, void *arg)
{
    (void)arg;
    return census_thread_count(play_pid(play)) > MANY;
}

/* With many clients at once: one process, a thread for each of them? Two
 * threads more than before may be helpers that come with the first client. */
void threaded_a_thread_each(struct play *play)
{
    struct peer *client[MANY];

    play_serve(play);
    play_rest(play);
    size_t before = census_thread_count(play_pid(play));
    for (unsigned i = 0; i < MANY; i++)
        client[i] = play_client(play);
    for (unsigned i = MANY; i-- > 0;)
        talk(play, client[i], "hello\n");
    play_rest(play);
    expect_processes(play, 1);
    expect_that(play, has_a_thread_each, NULL,
                "130 clients at once have a thread each, beside the one that "
                "accepts");
    size_t now = census_thread_count(play_pid(play));
    if (now > before + MANY + 2)
        play_fail(play, "one thread serves one client",
                  "130 clients made %zu threads of %zu", now, before);
    for (unsigned i = 0; i < MANY; i++)
        play_half_close(play, client[i]);
    for (unsigned i = 0; i < MANY; i++)
        expect_eof(play, client[i]);
}

/* Are others served while a thread is stuck in a write? */
void threaded_stuck_reader(struct play *play)
{
    play_serve(play);
    struct peer *stuck = play_client_small(play, 4 * KIB);
    play_pause(play, stuck);
    play_send_pattern(play, stuck, 16 * MIB);
    play_rest(play);
    expect_serves(play);
    struct peer *other = play_client(play);
    play_send_pattern(play, other, 64 * KIB);
    expect_echo(play, other);
}

/* Does a thread that starts late still find its own client? It is held
 * before its first instruction while the next client is accepted. */
void threaded_own_descriptor(struct play *play)
{
    play_serve(play);
    expect_serves(play); /* a helper may start with the first client */
    play_rest(play);
    unsigned start = play_fault(play, "thread_start#1=hold");
    struct peer *first = play_client(play);
    play_rest(play);
    struct peer *second = play_client(play);
    play_rest(play);
    play_release(play, start);
    play_blame(play, BLAME_THREADS);
    talk(play, second, "for the second\n");
    talk(play, first, "for the first\n");
}

/* A call is held at the gate, or the client has its answer already. */
struct answer {
    unsigned gate;
    struct peer *client;
};

static bool held_or_answered(struct play *play, void *arg)
{
    const struct answer *answer = arg;

    return play_is_held(play, answer->gate) ||
           answer->client->received == answer->client->queued;
}

/* Does a client get its own bytes, although another one was served between
 * the read and the write of its thread? */
void threaded_own_buffer(struct play *play)
{
    play_serve(play);
    struct answer answer = {0, play_client(play)};
    play_send_pattern(play, answer.client, KIB);
    expect_that(play, held_or_answered, &answer, "its bytes come back");
    struct peer *other = play_client(play);
    play_send_pattern(play, other, KIB);
    expect_echo(play, other);
    play_release(play, answer.gate);
    expect_echo(play, answer.client);
}

#define BATCH 20u

/* A round: each client is served before the next one comes, but all of them
 * are there at once; then they go. */
static void serve_batch(struct play *play)
{
    struct peer *client[BATCH];

    for (unsigned i = 0; i < BATCH; i++) {
        client[i] = play_client(play);
        talk(play, client[i], "hello\n");
    }
    for (unsigned i = 0; i < BATCH; i++)
        play_half_close(play, client[i]);
    for (unsigned i = 0; i < BATCH; i++) {
        expect_eof(play, client[i]);
        play_close(play, client[i]);
    }
}

static bool are_gone(struct play *play, void *arg)
{
    return census_thread_count(play_pid(play)) <= *(size_t *)arg;
}

/* Its own memory after so many clients more, when their threads are gone. */
static long memory_after(struct play *play, unsigned clients, size_t threads)
{
    for (unsigned i = 0; i < clients / BATCH; i++) {
        serve_batch(play);
        expect_that(play, are_gone, &threads,
                    "threads whose clients are gone are gone, too");
    }
    play_rest(play);
    return census_memory_kib(play_pid(play), false);
}

/* Do 1,000 connections leave nothing behind, not even a place that is taken
 * in a table of 1,024? The first ones may: stacks and arenas are kept for the
 * next; and a table that is filled in turns is touched all over once. */
void threaded_keeps_memory(struct play *play)
{
    play_limit_descriptors(play, 4096); /* those are another case's */
    play_serve(play);
    serve_batch(play);
    play_rest(play);
    size_t threads = census_thread_count(play_pid(play)) + 2;
    long before = memory_after(play, 280, threads), grown = 0;
    for (int stretch = 0; stretch < 2; stretch++) {
        long now = memory_after(play, 780, threads);

        grown = now - before;
        before = now;
        if (grown <= 700)
            return;
    }
    play_blame(play, BLAME_NOTHING);
    play_fail(play, "1,000 connections leave no memory behind",
              "780 connections left %ld KiB, and as many before them", grown);
}

/* Does it do nothing while nothing happens? */
void threaded_idles(struct play *play)
{
    server_waits_for_a_client(play);
    expect_serves(play);
    play_client(play);
    play_rest(play);
    play_client(play);
    expect_idle(play);
}
