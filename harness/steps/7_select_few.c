/* 7_select_few.c - starting, the echo, and what may fail on the way, with a
 * few clients. */
#include "7_select.h"

#include <errno.h>

/* ---- Starting ---- */

/* What if the port is taken, or the kernel will not listen? */
void select_says_why_it_cannot_listen(struct play *play)
{
    const char *const args[] = {play_port_text(play), NULL};

    unsigned fault = play_fault(play, "listen#1..=EADDRINUSE");
    play_start(play, args);
    expect_exit(play, 1);
    expect_reason(play, EADDRINUSE);
    play_fault_ends(play, fault);
    play_listen(play, "0.0.0.0");
    play_start(play, args);
    expect_exit(play, 1);
    expect_reason(play, EADDRINUSE);
}

/* Can it be started again while the kernel remembers its connections? */
void select_restarts_at_once(struct play *play)
{
    struct peer *client;

    play_serve(play);
    client = select_bystander(play);
    play_stop(play);
    expect_gone(play, client);
    play_close(play, client);
    play_serve_again(play);
    expect_serves(play);
}

/* Can it be reached at another address of the machine? */
void select_listens_on_all_addresses(struct play *play)
{
    struct peer *client;

    play_serve(play);
    client = play_client_at(play, "127.0.0.2");
    select_still_serves(play, client);
}

/* ---- Echo ---- */

/* Does a line come back at once, and the next, and then the end? */
void select_echoes_a_line(struct play *play)
{
    struct peer *client;

    play_serve(play);
    client = play_client(play);
    play_send(play, client, "hello\n");
    expect_echo(play, client);
    play_send(play, client, "and more\n");
    expect_echo(play, client);
    play_half_close(play, client);
    expect_eof(play, client);
}

/* Bytes of every value, as many as one likes, and whatever they say? */
void select_echoes_any_bytes(struct play *play)
{
    static const unsigned len[] = {0, 1, 256, 4095, 4096, 4097, 70000};
    struct peer *client;

    play_serve(play);
    for (size_t i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
        client = play_client(play);
        play_send_pattern(play, client, len[i]);
        expect_echo(play, client);
        play_half_close(play, client);
        expect_eof(play, client);
    }
    expect_no_commands(play, play_client(play));
}

/* A client that has sent everything and half-closed before it was looked
 * at. */
void select_drains_a_half_close(struct play *play)
{
    struct peer *client;

    play_serve(play);
    client = play_client(play);
    play_send_pattern(play, client, 3000);
    play_half_close(play, client);
    play_settle(play);
    play_release(play, 0);
    expect_echo(play, client);
    expect_eof(play, client);
}

/* The echo cannot be written at once, nor a moment later (the row's plan), and
 * the end of the input is there: what is done first? */
void select_keeps_output_at_end_of_file(struct play *play)
{
    struct peer *client;

    play_serve(play);
    client = play_client(play);
    play_send(play, client, "the last words\n");
    play_half_close(play, client);
    play_settle(play);
    play_release(play, 0);
    expect_echo(play, client);
    expect_eof(play, client);
}

/* ---- Partial, interrupted, spurious ---- */

/* The plan of the row hits the first client's calls: does it matter? */
void select_survives_the_plan(struct play *play)
{
    struct peer *client;

    play_serve(play);
    client = play_client(play);
    play_send_pattern(play, client, 900);
    expect_echo(play, client);
    play_send_pattern(play, client, 400);
    expect_echo(play, client);
    play_half_close(play, client);
    expect_eof(play, client);
    expect_serves(play);
}

/* ---- Broken connections ---- */

/* A client resets its connection: while it is silent, while its bytes are
 * read, before it has been accepted. */
void select_survives_a_reset(struct play *play)
{
    struct peer *other, *client;

    play_serve(play);
    other = select_bystander(play);
    client = select_bystander(play);
    play_reset(play, client);
    select_still_serves(play, other);
    unsigned reading = play_fault(play, "read@conn3#1=hold");
    client = play_client(play);
    play_send(play, client, "hello\n");
    play_held(play, reading, 1);
    play_reset(play, client);
    play_release(play, reading);
    select_still_serves(play, other);
    unsigned accepting = play_fault(play, "accept#1=hold");
    client = play_client(play);
    play_held(play, accepting, 1);
    play_reset(play, client);
    play_release(play, accepting);
    select_still_serves(play, other);
    expect_serves(play);
}

/* Calls on a connection fail in other ways. */
void select_survives_a_broken_connection(struct play *play)
{
    struct peer *other, *client;

    play_serve(play);
    other = select_bystander(play);
    server_loses_a_client(play);
    select_still_serves(play, other);
    play_fault(play, "setsockopt#1=ENOBUFS,shutdown#1=ENOTCONN");
    client = play_client(play);
    play_send(play, client, "hello\n");
    play_half_close(play, client);
    play_settle(play);
    select_still_serves(play, other);
    expect_serves(play);
}

/* It breaks when the server knows already that it has said its last. */
static void breaks_behind_its_end(struct play *play)
{
    unsigned gate =
        play_fault(play, "read@conn5#1=hold,write@conn5#1=ECONNRESET");
    struct peer *client = play_client(play);

    play_send(play, client, "bye\n");
    play_held(play, gate, 1);
    play_half_close(play, client);
    play_rest(play);
    play_release(play, gate);
    expect_gone(play, client);
}

/* A client is reset while bytes wait for it: who gets them? The next client
 * has its descriptor; and what else was known of the dead one? */
void select_forgets_the_bytes_of_a_dead_client(struct play *play)
{
    struct peer *other, *dead;

    play_serve(play);
    other = select_bystander(play);
    dead = select_stalled_client(play, MIB);
    play_reset(play, dead);
    play_settle(play);
    select_bystander(play);
    select_bystander(play);
    breaks_behind_its_end(play);
    select_bystander(play);
    select_bystander(play);
    select_still_serves(play, other);
}

/* A client has half-closed and then vanished before its echo is written:
 * the kernel answers EPIPE and sends SIGPIPE. */
void select_survives_a_vanished_client(struct play *play)
{
    struct peer *other, *client;

    play_serve(play);
    other = select_bystander(play);
    client = play_client(play);
    unsigned gate = play_fault(play, "write@conn2#1=hold");
    play_send(play, client, "hello\n");
    play_held(play, gate, 1);
    play_half_close(play, client);
    play_reset(play, client);
    play_release(play, gate);
    play_settle(play);
    expect_alive(play);
    select_still_serves(play, other);
    expect_serves(play);
}

/* Is every descriptor closed, however its connection ends? */
void select_closes_every_descriptor(struct play *play)
{
    struct peer *other, *client;

    play_serve(play);
    other = select_bystander(play);
    expect_serves(play);
    play_count_descriptors(play);
    for (int i = 0; i < 8; i++) {
        client = select_bystander(play);
        if (i % 2)
            play_reset(play, client);
        else
            play_close(play, client);
        expect_serves(play);
    }
    client = select_stalled_client(play, MIB);
    play_reset(play, client);
    expect_same_descriptors(play);
    select_still_serves(play, other);
}

/* ---- accept ---- */

/* The client is gone from the queue when accept is called. Does the server
 * wait there for another? */
void select_survives_a_client_gone_before_accept(struct play *play)
{
    struct peer *other;

    play_serve(play);
    other = select_bystander(play);
    play_fault(play, "accept#1=drop");
    play_client(play);
    play_settle(play);
    select_still_serves(play, other);
    expect_serves(play);
}

/* accept fails for no reason of the client's, which still waits. */
void select_survives_failing_accept(struct play *play)
{
    struct peer *other;

    play_serve(play);
    other = select_bystander(play);
    play_settle(play);
    play_fault(play, "accept#1=EPROTO,accept#2=EAGAIN");
    expect_serves(play);
    select_still_serves(play, other);
    expect_serves(play);
}

/* No descriptor is to be had for a while. */
void select_waits_for_a_free_descriptor(struct play *play)
{
    struct peer *other;

    play_serve(play);
    other = select_bystander(play);
    play_exhaust_descriptors(play);
    expect_no_spin(play);
    select_still_serves(play, other);
    play_free_descriptors(play);
    expect_serves(play);
}

/* The whole system is short of files, and of memory for a socket. */
void select_waits_for_the_system(struct play *play)
{
    struct peer *other;

    play_serve(play);
    other = select_bystander(play);
    play_settle(play);
    play_fault(play, "accept#1=ENFILE,accept#2=ENOBUFS");
    play_client(play);
    play_accept_failed(play, 1);
    select_still_serves(play, other);
    expect_no_spin(play);
    expect_serves(play);
}
