/* server.c - plays that try what every server of the course must do.
 *
 * They fit any model: at most one client is being served at a time, and none
 * leaves while the server may still have bytes for it.
 */
#include "server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

/* Letters: what else a case is about shall not hang on the value of bytes. */
static void send_text(struct play *play, struct peer *peer, size_t len)
{
    char text[16 * KIB];

    if (len > sizeof(text))
        len = sizeof(text);
    for (size_t i = 0; i < len; i++)
        text[i] = (char)('a' + i % 23 + (i / 23) % 3);
    play_send_bytes(play, peer, text, len);
}

/* The end follows when all that could be done for the bytes is done: neither
 * who echoes at the end only nor who drops bytes at the end is caught here;
 * each has a case of its own. */
static void expect_served(struct play *play, struct peer *client)
{
    play_rest(play);
    play_half_close(play, client);
    expect_echo(play, client);
    expect_eof(play, client);
}

void server_serves_another(struct play *play)
{
    struct peer *client = play_client(play);

    play_send(play, client, "hello\n");
    expect_served(play, client);
}

static bool is_answered(struct play *play, void *arg)
{
    const struct peer *client = arg;

    (void)play;
    return client->eof || client->error || client->received == client->queued;
}

void server_expect_answer(struct play *play, struct peer *client)
{
    expect_that(play, is_answered, client,
                "a client that cannot be served is not left waiting: its "
                "connection is closed");
}

/* ---- Start ---- */

/* Does it listen, and stay? */
void server_listens(struct play *play)
{
    play_serve(play);
    play_client(play);
    expect_alive(play);
}

/* Does it look at its arguments? */
void server_refuses_wrong_arguments(struct play *play)
{
    const char *const none[] = {NULL};
    const char *const two[] = {play_port_text(play), "8", NULL};
    const char *const word[] = {"no-such-port", NULL};
    char port_and_more[16];

    snprintf(port_and_more, sizeof(port_and_more), "%sx", play_port_text(play));
    play_explain(play, NULL, "argc counts the program's name, too.");
    play_start(play, none);
    expect_exit(play, 2);
    play_start(play, two);
    expect_exit(play, 2);
    play_explain(play, NULL, NULL);
    play_start(play, word);
    expect_exit(play, 1);
    play_start(play, (const char *const[]){port_and_more, NULL});
    expect_exit(play, 1);
}

static void cannot_listen(struct play *play, int error)
{
    play_start(play, (const char *const[]){play_port_text(play), NULL});
    expect_exit(play, 1);
    expect_reason(play, error);
}

/* What does it say when the kernel will not listen, when the port is taken,
 * and when there is no socket? */
void server_says_why_it_cannot_listen(struct play *play)
{
    unsigned fault = play_fault(play, "listen#1..=EADDRINUSE");

    cannot_listen(play, EADDRINUSE);
    play_fault_ends(play, fault);
    play_listen(play, "127.0.0.1");
    cannot_listen(play, EADDRINUSE);
    play_fault(play, "socket#1..=ENOBUFS");
    cannot_listen(play, ENOBUFS);
}

/* Is it there for those who do not come by 127.0.0.1? */
void server_listens_on_all_addresses(struct play *play)
{
    play_serve(play);
    struct peer *client = play_client_at(play, "127.0.0.2");
    play_send(play, client, "hello\n");
    expect_served(play, client);
}

/* The server's side ends first, so its port is left in TIME_WAIT: can the
 * next one have it? */
void server_restarts_at_once_on_its_port(struct play *play)
{
    play_serve(play);
    struct peer *client = play_client(play);
    play_accepted(play, 1);
    play_stop(play);
    expect_gone(play, client);
    play_close(play, client);
    play_serve_again(play);
    server_serves_another(play);
}

/* ---- Echo ---- */

/* Does what one client sent come back, and is that all? */
void server_echoes_a_line(struct play *play)
{
    play_serve(play);
    server_serves_another(play);
}

size_t server_full_buffer(size_t i)
{
    static const size_t bytes[SERVER_FULL_BUFFERS] = {
        128, 256, 512, 1000, KIB, 2 * KIB, 4 * KIB, 8 * KIB, 16 * KIB};

    return bytes[i % SERVER_FULL_BUFFERS];
}

/* Does each piece come back before the next is sent, line or not, and where it
 * fills a buffer? */
void server_echoes_before_the_end(struct play *play)
{
    play_serve(play);
    struct peer *client = play_client(play);
    play_send(play, client, "h");
    expect_echo(play, client);
    play_send(play, client, "ello");
    expect_echo(play, client);
    play_send(play, client, "\nhow are you?\n");
    expect_echo(play, client);
    for (size_t i = 0; i < SERVER_FULL_BUFFERS; i++) {
        play_send_pattern(play, client, server_full_buffer(i));
        expect_echo(play, client);
    }
    play_half_close(play, client);
    expect_eof(play, client);
}

/* Any length, around the sizes of buffers; the pattern has every value. And
 * words that are none of the server's business. */
void server_echoes_any_number_of_any_bytes(struct play *play)
{
    static const uint64_t len[] = {0,           1,           4 * KIB - 1,
                                   4 * KIB + 0, 4 * KIB + 1, 256 * KIB};

    play_serve(play);
    for (size_t i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
        play_rest(play);
        play_explain(play, "A server serves until it is stopped: RFC 862.",
                     "What does it do when a client has ended?");
        struct peer *client = play_client(play);
        play_explain(play, NULL, NULL);
        play_send_pattern(play, client, len[i]);
        expect_served(play, client);
    }
    expect_no_commands(play, play_client(play));
}

/* The end has arrived while the server still has bytes to send: because its
 * writes took few or none, and because the client did not read. */
void server_drains_after_a_half_close(struct play *play)
{
    unsigned gate = play_fault(play, "accept#1=hold");

    play_serve(play);
    struct peer *early = play_client(play);
    send_text(play, early, 3000);
    play_half_close(play, early);
    play_held(play, gate, 1);
    play_rest(play);
    play_release(play, gate);
    expect_echo(play, early);
    expect_eof(play, early);

    play_rest(play);
    struct peer *slow = play_client_small(play, 4 * KIB);
    play_pause(play, slow);
    play_send_pattern(play, slow, SERVER_STALL);
    play_half_close(play, slow);
    play_rest(play);
    play_resume(play, slow);
    expect_echo(play, slow);
    expect_eof(play, slow);
}

/* ---- What fails, and what it may cost ---- */

/* The calls of connection 1 are bent by the row's plan: does anyone see it? */
void server_costs_nothing(struct play *play)
{
    play_serve(play);
    struct peer *client = play_client(play);
    send_text(play, client, 4 * KIB);
    expect_served(play, client);
}

/* Its echo meets these two failures, as far as they are possible there; then it
 * says its last. */
static struct peer *says_hello(struct play *play, const char *first,
                               const char *second)
{
    struct peer *client = play_client(play);
    char plan[80];

    snprintf(plan, sizeof(plan), "write@conn%d#1=%s,write@conn%d#2=%s",
             client->number, first, client->number, second);
    play_fault(play, plan);
    play_send(play, client, "hello\n");
    play_settle(play);
    play_half_close(play, client);
    play_settle(play);
    return client;
}

void server_goes_on_behind_a_short_write(struct play *play)
{
    play_settle(play);
    if (play_processes(play) == 0) /* it serves one client only */
        return;
    struct peer *client = says_hello(play, "EINTR", "EINTR");
    if (client->received < client->queued)
        return;
    expect_echo(play, says_hello(play, "short:1", "EINTR"));
}

void server_a_failed_accept_costs_nothing(struct play *play)
{
    server_costs_nothing(play);
    expect_fired(play, "the server calls accept again when it failed");
}

void server_waits_for_a_client(struct play *play)
{
    play_let_time_fly(play, 0, 60000);
    play_serve(play);
    play_rest(play);
    play_let_time_fly(play, 0, 0);
}

void server_does_nothing_while_nothing_happens(struct play *play)
{
    server_waits_for_a_client(play);
    struct peer *client = play_client(play);
    play_send(play, client, "hello\n");
    play_half_close(play, client);
    server_expect_answer(play, client);
    play_close(play, client);
    expect_idle(play);
    play_client(play);
    expect_idle(play);
}

/* Who looks before it reads (FIONREAD) reads but what is there, which cannot
 * fail, and then waits for what comes next: the end. */
struct peer *server_loses_a_client(struct play *play)
{
    struct peer *client = play_client(play);

    play_send(play, client, "hello\n");
    play_settle(play);
    if (!play_fired_for(play, client))
        play_half_close(play, client);
    expect_gone(play, client);
    return client;
}

/* The client may be turned away or served: it may not be left waiting. */
void server_a_shortage_costs_one_client(struct play *play)
{
    play_serve(play);
    struct peer *client = play_client(play);
    play_send(play, client, "hello\n");
    play_half_close(play, client);
    expect_gone(play, client);
    play_rest(play);
    server_serves_another(play);
}

/* No descriptor is to be had for a while: does it wait, and go on? */
void server_waits_while_out_of_descriptors(struct play *play)
{
    play_serve(play);
    struct peer *waiting = play_exhaust_descriptors(play);
    expect_no_spin(play);
    play_free_descriptors(play);
    if (waiting) {
        play_half_close(play, waiting);
        expect_gone(play, waiting);
    }
    play_rest(play);
    server_serves_another(play);
}

static unsigned hits(struct play *play)
{
    struct trace *trace = play_trace(play);
    unsigned sum = 0;

    for (unsigned i = 0; i < trace_faults(trace); i++)
        sum += atomic_load(&trace->fault[i].fired);
    return sum;
}

/* Which one is lost is free: who asks for memory before accept(2) lacks it for
 * the next client, were the first one served. */
void server_loses_one_at_most(struct play *play, const char *plan)
{
    unsigned before = hits(play), lost = 0, more = 2;
    unsigned fault = play_fault(play, plan);

    for (unsigned i = 0; i < more; i++) {
        struct peer *client = play_client(play);

        if (!play_fired(play, fault) && more < 5)
            more++;
        play_send(play, client, "hello\n");
        play_rest(play);
        play_half_close(play, client);
        server_expect_answer(play, client);
        expect_alive(play);
        lost += client->received < client->queued;
        if (lost > hits(play) - before)
            play_fail(play, "a failure costs one client at most",
                      "client %d got %llu of %llu bytes, %s", client->number,
                      (unsigned long long)client->received,
                      (unsigned long long)client->queued,
                      lost > 1 ? "the second that was lost by it"
                               : "though nothing failed");
    }
}

void server_a_failed_malloc_costs_one_client(struct play *play)
{
    play_serve(play);
    play_rest(play);
    server_loses_one_at_most(play, "malloc#1=ENOMEM");
}

/* It comes to accept when the first is served (one at a time), at once
 * (several), or with the first (it waits before accept). */
void server_loses_a_client_before_accept(struct play *play)
{
    unsigned gate = play_fault(play, "accept#1=hold");
    struct peer *first = play_client(play);

    play_send(play, first, "hello\n");
    play_rest(play);
    if (!play_is_held(play, gate))
        play_half_close(play, first);
    play_held(play, gate, 1);
    struct peer *gone = play_client(play);
    play_reset(play, gone);
    play_release(play, gate);
    expect_served(play, first);
    play_rest(play);
    server_serves_another(play);
}

/* ---- Handlers ---- */

void server_expect_safe_handlers(struct play *play)
{
    struct trace_record record;

    if (!trace_find_call(play_trace(play), CALL_unsafe, &record))
        return;
    play_blame(play, BLAME_UNSAFE);
    play_fail(play,
              "a signal handler calls async-signal-safe functions only: "
              "signal-safety(7)",
              "it called %s()", record.note);
}

static bool is_caught(struct play *play, int signal)
{
    uint64_t caught = 0;

    census_caught(play_pid(play), &caught);
    return caught & (UINT64_C(1) << (signal - 1));
}

void server_gets_every_signal_it_handles(struct play *play)
{
    static const int signals[] = {SIGCHLD, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH,
                                  SIGIO,   SIGHUP,  SIGQUIT, SIGINT,  SIGTERM};

    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        if (!is_caught(play, signals[i]))
            continue;
        play_signal(play, signals[i]);
        play_settle(play);
        server_expect_safe_handlers(play);
    }
}

/* A client comes and goes: that of a process is SIGCHLD already. Nothing else
 * is judged. */
void server_calls_only_safe_functions_in_handlers(struct play *play)
{
    play_serve(play);
    struct peer *client = play_client(play);
    play_send(play, client, "hello\n");
    play_settle(play);
    play_half_close(play, client);
    play_settle(play);
    server_expect_safe_handlers(play);
    server_gets_every_signal_it_handles(play);
}

/* ---- Visits ---- */

void server_visit(struct play *play, size_t len, bool resets)
{
    struct peer *client = play_client(play);

    send_text(play, client, len);
    expect_echo(play, client);
    if (resets) {
        play_reset(play, client);
        return;
    }
    play_half_close(play, client);
    expect_eof(play, client);
    play_close(play, client);
}
