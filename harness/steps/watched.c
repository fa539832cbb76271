/* watched.c - scenes for valgrind. */
#include "watched.h"

#include "../sweep.h"

static void says_lines(struct play *play, struct peer *client)
{
    for (int i = 0; i < 3; i++) {
        play_send(play, client, "one line of three\n");
        expect_echo(play, client);
    }
}

static void leaves(struct play *play, struct peer *client)
{
    play_half_close(play, client);
    expect_eof(play, client);
}

static void visits(struct play *play)
{
    struct peer *client = play_client(play);

    says_lines(play, client);
    play_send_pattern(play, client, 10001);
    expect_echo(play, client);
    leaves(play, client);
    play_rest(play); /* who was waiting for it is ready for the next */
}

static void meet(struct play *play)
{
    struct peer *client[3];

    for (int i = 0; i < 3; i++) {
        client[i] = play_client(play);
        says_lines(play, client[i]);
        play_settle_soon(play);
    }
    for (int i = 0; i < 3; i++)
        play_send_pattern(play, client[i], 10001);
    for (int i = 0; i < 3; i++)
        expect_echo(play, client[i]);
    leaves(play, client[1]);
    says_lines(play, client[2]);
    leaves(play, client[0]);
    leaves(play, client[2]);
    play_rest(play);
}

/* And three at once, the second of which leaves first? The next three take
 * their places: what the first ones left behind is not found any more. */
void watched_at_once(struct play *play)
{
    play_serve(play);
    meet(play);
    meet(play);
    sweep_visits(play, 2);
}

static bool is_settled(struct play *play, void *arg)
{
    const struct peer *client = arg;

    (void)play;
    return client->eof || client->error || client->received == client->queued;
}

/* A client that is served, or not. */
static void tries(struct play *play)
{
    struct peer *client = play_client(play);

    play_send(play, client, "hello\n");
    expect_that(play, is_settled, client,
                "the client is served, or its connection is closed");
    play_close(play, client);
    play_rest(play);
}

static void resets(struct play *play)
{
    struct peer *client = play_client(play);

    play_send(play, client, "hello\n");
    expect_that(play, is_settled, client, "the client is served");
    play_reset(play, client);
    play_rest(play);
}

static void runs_short(struct play *play, const char *shortage)
{
    if (!shortage)
        return;
    play_fault(play, shortage);
    for (int i = 0; i < 3; i++)
        tries(play);
}

static void fails(struct play *play, const char *shortage)
{
    for (int i = 0; i < 3; i++)
        resets(play);
    for (int i = 0; i < 4; i++)
        tries(play);
    runs_short(play, "malloc#1..3=ENOMEM");
    runs_short(play, shortage);
    tries(play);
}

/* Its port is none; what it does with that is another case's matter. */
static void fails_to_start(struct play *play)
{
    play_start(play, (const char *const[]){"no-such-port", NULL});
    play_settle(play);
    play_stop(play);
}

/* Whatever it meets, does it use, and give back, what is its own? */
void watched_server(struct play *play)
{
    fails_to_start(play);
    play_serve_again(play);
    for (int i = 0; i < 3; i++)
        visits(play);
    fails(play, NULL);
    sweep_visits(play, 1);
}

static void several(struct play *play, const char *shortage)
{
    fails_to_start(play);
    play_serve_again(play);
    meet(play);
    fails(play, shortage);
    sweep_visits(play, 2);
}

void watched_forking(struct play *play)
{
    several(play, "fork#1..3=EAGAIN");
}

void watched_threads(struct play *play)
{
    several(play, "pthread_create#1..3=EAGAIN");
}

#define CROWD 40 /* more than tables begin with */

/* Tables grow, and what was known of them has moved. */
static void crowds(struct play *play)
{
    struct peer *client[CROWD];

    for (int i = 0; i < CROWD; i++) {
        client[i] = play_client(play);
        play_send(play, client[i], "hello\n");
        expect_echo(play, client[i]);
    }
    for (int i = 0; i < CROWD; i++)
        leaves(play, client[i]);
    play_rest(play);
}

void watched_loop(struct play *play)
{
    several(play, NULL);
    crowds(play);
}

/* ---- The client ---- */

static const char *const *to(struct play *play, const char *host,
                             const char *args[3])
{
    args[0] = host;
    args[1] = play_port_text(play);
    args[2] = NULL;
    return args;
}

/* A run that ends without a connection. */
static void fails_to(struct play *play, const char *host,
                     const char *const *addrs)
{
    const char *args[3];

    play_host(play, host, addrs);
    play_start(play, to(play, host, args));
    play_rest(play);
}

static void talks(struct play *play, struct peer **user, struct peer **server)
{
    const char *args[3];

    *user = play_start_user(play, to(play, "127.0.0.1", args), false);
    *server = play_accept(play, ANSWER_ECHO);
    says_lines(play, *user);
    play_send_pattern(play, *user, 10001);
    play_send(play, *user, "\n"); /* a line typed is sent */
    expect_echo(play, *user);
}

/* And the client: whatever it meets? */
void watched_client(struct play *play)
{
    struct peer *user, *server;

    fails_to(play, "nowhere.invalid", (const char *const[]){NULL});
    fails_to(play, "closed.example",
             (const char *const[]){"127.0.0.2", "127.0.0.3", NULL});
    play_listen(play, "127.0.0.1");
    talks(play, &user, &server);
    play_half_close(play, server);
    play_half_close(play, user);
    play_rest(play);
    play_stop(play);
    talks(play, &user, &server);
    play_reset(play, server);
    play_rest(play);
    play_stop(play);
    sweep_visits(play, 1);
}
