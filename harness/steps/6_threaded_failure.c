/* 6_threaded_failure.c - step 6 when calls fail and clients break. */
#include "6_threaded.h"
#include "server.h"

#include <stdio.h>

/* Does the server go on when no thread can be made, once and for a while? */
void threaded_no_thread(struct play *play)
{
    play_serve(play);
    play_rest(play);
    play_fault(play, "pthread_create#1=EAGAIN");
    struct peer *client = play_client(play);
    play_send(play, client, "hello\n");
    play_rest(play);
    expect_serves(play);
    play_fault(play, "pthread_create#1..1000=EAGAIN");
    play_client(play);
    expect_no_spin(play);
}

/* Is the client that gets no thread turned away, its descriptor closed? */
void threaded_no_thread_closes(struct play *play)
{
    play_serve(play);
    expect_serves(play);
    play_count_descriptors(play);
    server_loses_one_at_most(play, "pthread_create#1=EAGAIN");
    expect_same_descriptors(play);
}

/* Does a failing accept cost nobody (a client that has gone), or the one
 * client at most (a shortage)? */
void threaded_accept_fails(struct play *play)
{
    play_serve(play);
    for (int i = 0; i < 3; i++)
        expect_serves(play);
    server_loses_one_at_most(play, "accept#1=ENFILE");
    server_loses_one_at_most(play, "accept#1=ENOBUFS");
    server_loses_one_at_most(play, "accept#1=ENOMEM");
}

/* Does it wait calmly until there are descriptors again? Who waited is served
 * before the next comes: threads that take turns get nothing mixed up. */
void threaded_no_descriptors(struct play *play)
{
    play_serve(play);
    play_exhaust_descriptors(play);
    expect_no_spin(play);
    play_free_descriptors(play);
    play_rest(play);
    expect_serves(play);
}

/* Does a connection that breaks cost nobody else? Client 2 times out by the
 * plan, client 3 resets. */
void threaded_reset(struct play *play)
{
    play_serve(play);
    struct peer *bystander = play_client(play);
    play_send(play, bystander, "hello\n");
    expect_echo(play, bystander);
    server_loses_a_client(play);
    struct peer *silent = play_client(play);
    play_rest(play);
    play_reset(play, silent);
    play_rest(play);
    play_send(play, bystander, "still here\n");
    expect_echo(play, bystander);
    play_rest(play);
    server_loses_a_client_before_accept(play);
    expect_serves(play);
}

/* FIN and RST come while its thread is about to write: EPIPE, SIGPIPE. */
static void vanishes_before_write(struct play *play)
{
    struct peer *client = play_client(play);
    char plan[48];

    play_rest(play);
    snprintf(plan, sizeof(plan), "write@conn%d#1=hold", client->number);
    unsigned gate = play_fault(play, plan);
    play_send(play, client, "hello\n");
    play_half_close(play, client);
    play_rest(play);
    play_reset(play, client);
    play_release(play, gate);
}

/* Leaves while its thread is blocked in a write. */
static void vanishes_while_blocked(struct play *play)
{
    struct peer *client = play_client_small(play, 4 * KIB);

    play_pause(play, client);
    play_send_pattern(play, client, 16 * MIB);
    play_rest(play);
    play_close(play, client);
}

static void breaks_by_plan(struct play *play)
{
    struct peer *client = play_client(play);
    char plan[48];

    play_rest(play);
    snprintf(plan, sizeof(plan), "write@conn%d#1=EPIPE", client->number);
    play_fault(play, plan);
    play_send(play, client, "hello\n");
    play_rest(play);
}

/* Does the server survive clients that vanish, each in its way? */
void threaded_vanished(struct play *play)
{
    play_serve(play);
    vanishes_before_write(play);
    play_rest(play);
    expect_alive(play);
    vanishes_while_blocked(play);
    play_rest(play);
    expect_alive(play);
    breaks_by_plan(play);
    expect_alive(play);
    expect_serves(play);
}

/* Does a lack of memory cost one client at most? */
void threaded_no_memory(struct play *play)
{
    play_serve(play);
    play_rest(play);
    server_loses_one_at_most(play, "malloc#1=ENOMEM");
    server_loses_one_at_most(play, "malloc#2=ENOMEM");
    server_loses_one_at_most(play, "malloc#3=ENOMEM");
}

/* Are the descriptors of connections closed, however these end? */
void threaded_keeps_descriptors(struct play *play)
{
    play_serve(play);
    expect_serves(play);
    play_count_descriptors(play);
    for (int i = 0; i < 30; i++)
        expect_serves(play);
    for (int i = 0; i < 6; i++) {
        struct peer *client = play_client(play);

        play_send(play, client, "hello\n");
        expect_echo(play, client);
        i % 2 ? play_reset(play, client) : play_close(play, client);
    }
    expect_same_descriptors(play);
}

/* Does a thread whose client broke close its own descriptor only? It is held
 * behind its close, while the next client gets that number. */
void threaded_closes_once(struct play *play)
{
    play_serve(play);
    unsigned gate = play_fault(play, "close@conn1#1=hold-after");
    struct peer *broken = play_client(play);
    play_send(play, broken, "lost\n"); /* its write fails, as planned */
    play_rest(play);
    struct peer *next = play_client(play);
    play_send(play, next, "hello\n");
    play_rest(play);
    play_release(play, gate);
    play_rest(play);
    play_send(play, next, "still here\n");
    expect_echo(play, next);
    expect_open(play, next);
}
