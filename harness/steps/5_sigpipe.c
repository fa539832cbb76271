/* 5_sigpipe.c - a server of any model that survives clients who vanish, and
 * counts them. A server that serves one at a time must pass as well as one
 * that forks: at most one client is served at a time.
 */
#include "5_sigpipe.h"
#include "forking.h"
#include "swept.h"
#include "watched.h"

#include <stdio.h>
#include <string.h>

#define LINE "broken connections: "

/* ---- What the server makes of it ---- */

static bool has_line(struct play *play, unsigned n)
{
    char line[64];

    snprintf(line, sizeof(line), "%s%u\n", LINE, n);
    return strstr(play_output(play), line);
}

static void expect_next_line(struct play *play, unsigned n)
{
    char line[64];

    snprintf(line, sizeof(line), "%s%u", LINE, n);
    if (n == 1 && *play_output(play))
        play_explain(play, NULL,
                     "Compare what it prints with the line that the exercise "
                     "asks for: words, number.");
    expect_line(play, LINE, n, line);
    play_explain(play, NULL, NULL);
}

static void expect_no_more_lines(struct play *play, unsigned lines)
{
    play_explain(play,
                 "The line counts connections, not calls: one that is broken "
                 "fails in each call from then on.",
                 "Which calls does the server still make on a connection "
                 "after the first that failed?");
    expect_line_count(play, LINE, lines);
    play_explain(play, NULL, NULL);
}

/* The server goes on and, where the kernel answered with a failure, has
 * printed the next line. Where it did not, the line is left to it. */
static void expect_told(struct play *play, const struct peer *peer,
                        unsigned *lines)
{
    play_rest(play);
    expect_alive(play);
    expect_no_killed_child(play, peer);
    if (connection_broke(play, peer) || has_line(play, *lines + 1))
        expect_next_line(play, ++*lines);
    expect_no_more_lines(play, *lines);
}

static void expect_once(struct play *play,
                        struct peer *(*vanish)(struct play *play))
{
    unsigned lines = 0;

    play_serve(play);
    struct peer *peer = vanish(play);
    expect_told(play, peer, &lines);
    expect_serves(play);
    expect_no_more_lines(play, lines);
}

/* ---- Plays ---- */

static void short_calls_cost_nothing(struct play *play)
{
    server_drains_after_a_half_close(play);
    server_goes_on_behind_a_short_write(play);
}

/* Half-closed, without a byte, closed when all had come back; calls that were
 * interrupted, not ready or short, a client that accept never gave: is any of
 * them told as a break? */
static void orderly_ends_print_nothing(struct play *play)
{
    play_serve(play);
    expect_serves(play);
    expect_serves(play);
    struct peer *silent = play_client(play);
    play_half_close(play, silent);
    expect_eof(play, silent);
    server_visit(play, 10, false);
    play_close(play, served_client(play));
    expect_line_count(play, LINE, 0);
    expect_serves(play);
}

/* RST at once: the read fails. */
static void tells_of_a_reset(struct play *play)
{
    expect_once(play, client_resets);
}

/* FIN, then RST: the write fails, with SIGPIPE. It is the server's very
 * first client. */
static void survives_fin_then_rst(struct play *play)
{
    expect_once(play, client_fin_then_rst);
}

static void survives_a_break_behind_a_short_write(struct play *play)
{
    expect_once(play, client_leaves_behind_a_short_write);
}

static void tells_of_a_reset_in_a_blocked_write(struct play *play)
{
    expect_once(play, client_resets_a_blocked_write);
}

#define BREAKS 11u /* a number of two digits, too */

/* Breaks of every kind with orderly ends between them: 1, 2, 3 ... */
static void counts_over_its_whole_life(struct play *play)
{
    static struct peer *(*const vanish[])(struct play *) = {
        server_loses_a_client, server_loses_a_client, client_resets,
        client_fin_then_rst};
    unsigned lines = 0;

    play_serve(play);
    for (unsigned i = 0; i < BREAKS; i++) {
        expect_told(play, vanish[i < 2 ? i : 2 + i % 2](play), &lines);
        if (i >= 2)
            expect_serves(play);
    }
    expect_no_more_lines(play, lines);
}

#define TOGETHER 3

/* Clients that are served at the same time break while the server is stopped:
 * of children one signal may tell then, and each is counted all the same. */
static void tells_of_all_that_break_at_once(struct play *play)
{
    struct peer *client[TOGETHER];
    unsigned lines = 0;

    play_serve(play);
    for (int i = 0; i < TOGETHER; i++) {
        client[i] = play_client(play);
        play_send(play, client[i], "hello\n");
        play_settle(play);
        if (client[i]->received < client[i]->queued)
            return; /* it serves one at a time */
    }
    bool stopped = forking_can_be_stopped(play);
    if (stopped)
        play_freeze(play, play_pid(play));
    for (int i = 0; i < TOGETHER; i++) {
        play_reset(play, client[i]);
        play_settle(play);
    }
    if (stopped)
        play_thaw(play, play_pid(play));
    play_rest(play);
    expect_alive(play);
    play_blame(play, BLAME_STATUS);
    for (int i = 0; i < TOGETHER; i++)
        if (connection_broke(play, client[i]))
            expect_next_line(play, ++lines);
    expect_no_more_lines(play, lines);
}

/* Whatever it prints: a read, then a write fails. */
static void a_failed_call_costs_one_client(struct play *play)
{
    play_serve(play);
    server_loses_a_client(play);
    play_rest(play);
    server_loses_a_client(play);
    play_rest(play);
    client_resets(play);
    play_rest(play);
    server_loses_a_client_before_accept(play);
}

/* None is to be had when accept is called; then there is no descriptor. */
static void waits_while_accept_fails(struct play *play)
{
    server_a_shortage_costs_one_client(play);
    play_stop(play);
    server_waits_while_out_of_descriptors(play);
}

/* A process, a thread or memory for one client is not to be had. */
static void a_shortage_costs_one_client(struct play *play)
{
    static const char *const plans[] = {
        "fork#1=EAGAIN", "pthread_create#1=EAGAIN", "malloc#1=ENOMEM"};

    play_serve(play);
    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        play_rest(play);
        server_loses_one_at_most(play, plans[i]);
    }
}

/* It is restarted on its port, and serves all addresses. */
static void starts_where_it_can(struct play *play)
{
    server_restarts_at_once_on_its_port(play);
    struct peer *client = play_client_at(play, "127.0.0.2");
    play_send(play, client, "hello\n");
    play_rest(play);
    play_half_close(play, client);
    expect_echo(play, client);
    expect_eof(play, client);
    play_stop(play);
    server_says_why_it_cannot_listen(play);
}

static void closes_broken_connections(struct play *play)
{
    play_serve(play);
    server_visit(play, 1, false);
    play_count_descriptors(play);
    for (int i = 0; i < 40; i++)
        server_visit(play, 1, true);
    for (int i = 0; i < 4; i++) {
        client_fin_then_rst(play);
        play_rest(play);
    }
    expect_same_descriptors(play);
    expect_serves(play);
}

/* clang-format off */
static const struct step_case cases[] = {
    {.name = "compiles", .obligation = OBLIGATION_build,
     .why = "What does not compile cannot be run: gcc(1).",
     .hint = "The compiler's first error is the one to read."},
    {.name = "listens", .obligation = OBLIGATION_startup, .points = 0.25,
     .why = "A server asks the kernel for a port and then waits for clients: "
            "socket(2), bind(2), listen(2).",
     .hint = "What served in the steps before serves here.",
     .play = server_listens},
    {.name = "echoes_a_line", .obligation = OBLIGATION_echo, .points = 0.5,
     .why = "An echo server sends back what it gets, and closes when the "
            "client has ended: RFC 862.",
     .hint = "Write as many bytes as read(2) gave; it answers 0 at the end, "
             "and only then.",
     .play = server_echoes_a_line, .needs = "listens"},
    SERVER_ARGUMENTS(0.25),
    {.name = "starts_where_it_can", .obligation = OBLIGATION_startup,
     .points = 0.25,
     .why = "A server is there on every address, again at once after its "
            "end, and says why when it cannot: socket(7), SO_REUSEADDR.",
     .hint = "The option is of use before bind(2) only.",
     .play = starts_where_it_can, .needs = "echoes_a_line"},
    {.name = "echoes_before_the_end", .obligation = OBLIGATION_echo,
     .points = 0.5,
     .why = "A client that waits for its echo before it goes on would wait "
            "for ever: RFC 862.",
     .hint = "Write what a read gave, then read again.",
     .play = server_echoes_before_the_end, .needs = "echoes_a_line"},
    {.name = "echoes_any_number_of_any_bytes", .obligation = OBLIGATION_echo,
     .points = 0.25,
     .why = "A connection carries any number of bytes of any value, 0 too: "
            "tcp(7).",
     .hint = "How much there is to write is what read(2) answered.",
     .play = server_echoes_any_number_of_any_bytes, .needs = "echoes_a_line"},
    {.name = "short_calls_cost_nothing", .obligation = OBLIGATION_partial,
     .points = 0.25,
     .why = "read(2) may give less than it was asked for, write(2) may take "
            "less than it was given.",
     .hint = "Go on behind what was taken until nothing is left.",
     .faults = "accept#1=EAGAIN,read@conn1#1=EAGAIN,write@conn1#1=EAGAIN,"
               "read@conn1#1..9=short:1,write@conn1#1..64=short:half",
     .play = short_calls_cost_nothing, .needs = "echoes_before_the_end"},
    {.name = "interrupted_calls_cost_nothing",
     .obligation = OBLIGATION_interrupt, .points = 0.25,
     .why = "A signal with a handler ends a waiting call with EINTR, and "
            "nothing is wrong: signal(7).",
     .hint = "Call again.",
     .faults = "accept#1=EINTR,poll#1=EINTR,read@conn1#1=EINTR,"
               "write@conn1#1=EINTR",
     .play = server_costs_nothing, .needs = "echoes_a_line"},
    {.name = "orderly_ends_print_nothing", .obligation = OBLIGATION_sigpipe,
     .points = 0.5,
     .why = "A client that ends in order has broken nothing: read(2) "
            "answers 0, which is no failure.",
     .hint = "0 and -1 are different ends; EINTR and EAGAIN are none.",
     .faults = "read@conn1#1=EINTR,write@conn1#1=EINTR,"
               "read@conn1#1=EAGAIN,write@conn1#1=EAGAIN,"
               "write@conn2#1..4=short:1,"
               "accept#1=ECONNABORTED,accept#3=EPROTO",
     .play = orderly_ends_print_nothing, .needs = "short_calls_cost_nothing"},
    {.name = "tells_of_a_reset", .obligation = OBLIGATION_sigpipe,
     .points = 0.25,
     .why = "A reset makes the next read fail with ECONNRESET: the connection "
            "is broken, not ended: errno(3).",
     .hint = "Is -1 an end like 0? And stdout is a pipe here: what printf(3) "
             "keeps in its buffer has not been said.",
     .play = tells_of_a_reset, .needs = "echoes_before_the_end"},
    {.name = "survives_fin_then_rst", .obligation = OBLIGATION_sigpipe,
     .points = 0.5,
     .why = "Who writes to a connection that is broken gets SIGPIPE, which "
            "kills by default, and only then EPIPE: write(2), signal(7).",
     .hint = "In which process, and from when on, must the signal be harmless? "
             "And what is left to do when write(2) has failed?",
     .play = survives_fin_then_rst, .needs = "echoes_before_the_end"},
    {.name = "survives_a_break_behind_a_short_write",
     .obligation = OBLIGATION_sigpipe, .points = 0.5,
     .why = "Each write that fails with EPIPE raises SIGPIPE, not only the "
            "first of a piece: send(2), MSG_NOSIGNAL.",
     .hint = "A flag holds for the one call that it is given to.",
     .faults = "write@conn1#1=short:1",
     .play = survives_a_break_behind_a_short_write,
     .needs = "echoes_before_the_end"},
    {.name = "tells_of_a_reset_in_a_blocked_write",
     .obligation = OBLIGATION_sigpipe, .points = 0.5,
     .why = "A write that waits for room when the reset comes fails with "
            "ECONNRESET, not with EPIPE: send(2), ERRORS.",
     .hint = "Any failure of a write is a broken connection, save EINTR and "
             "EAGAIN.",
     .play = tells_of_a_reset_in_a_blocked_write, .needs = "tells_of_a_reset"},
    {.name = "a_failed_call_costs_one_client", .obligation = OBLIGATION_reset,
     .points = 0.25,
     .why = "A connection may break at any moment, and that is the end of this "
            "connection, not of the server: tcp(7), ERRORS.",
     .hint = "What does the program do when a read or write answers -1?",
     .faults = "read@conn1#1=ETIMEDOUT,write@conn2#1=ECONNRESET",
     .play = a_failed_call_costs_one_client,
     .needs = "echoes_before_the_end"},
    {.name = "counts_over_its_whole_life", .obligation = OBLIGATION_sigpipe,
     .points = 0.25,
     .why = "The line counts the broken connections of the server, whoever "
            "served them: fork(2) copies a counter, it does not share it.",
     .hint = "1, 2, 3: one line for each connection, whichever call failed.",
     .faults = "read@conn1#1=ETIMEDOUT,write@conn2#1=ETIMEDOUT",
     .play = counts_over_its_whole_life, .needs = "tells_of_a_reset"},
    {.name = "tells_of_all_that_break_at_once",
     .obligation = OBLIGATION_sigpipe, .points = 0.25,
     .why = "Each connection that breaks is one more, however many break in "
            "one moment: of children one SIGCHLD may tell, signal(7).",
     .hint = "How many children may have ended when the handler is called?",
     .play = tells_of_all_that_break_at_once, .needs = "tells_of_a_reset"},
    {.name = "waits_while_accept_fails", .obligation = OBLIGATION_accept,
     .points = 0.25,
     .why = "accept(2) may fail for a while; who ends by it, or burns the "
            "processor meanwhile, serves nobody: accept(2), ERRORS.",
     .hint = "A short pause before the next try is enough.",
     .faults = "accept#1=ECONNABORTED,accept#2=EPROTO,accept#3=ENFILE,"
               "accept#4=ENOBUFS",
     .play = waits_while_accept_fails, .needs = "echoes_before_the_end"},
    {.name = "a_shortage_costs_one_client", .obligation = OBLIGATION_memory,
     .points = 0.25,
     .why = "malloc(3), fork(2) and pthread_create(3) may fail; one client "
            "can be turned away, a crash turns all away.",
     .hint = "Look at the result before you use it, and close what you "
             "cannot serve.",
     .play = a_shortage_costs_one_client, .needs = "echoes_before_the_end"},
    SERVER_IDLE("echoes_a_line"),
    {.name = "closes_broken_connections",
     .obligation = OBLIGATION_descriptors, .points = 0.5,
     .why = "A broken connection keeps its descriptor until it is closed, and "
            "descriptors are few: close(2).",
     .hint = "Every way out of a connection goes by close(2), a jump too.",
     .play = closes_broken_connections, .needs = "survives_fin_then_rst"},
    SERVER_HANDLERS("echoes_a_line"),
    SWEPT_SERVER(0.25, 0.5, 0.5, 0.25, "echoes_before_the_end"),
    WATCHED_MEMORY(WATCHED_FAULTS, watched_server,
        "echoes_a_line"),
    WATCHED_LEAK(WATCHED_FAULTS, watched_server,
        "echoes_a_line"),
    WATCHED_CLOSE(WATCHED_FAULTS, watched_server, "echoes_a_line"),
};
/* clang-format on */

/* In a sweep: a line for each connection whose read or write has failed. (One
 * that a handler jumped out of never returned; its line may come, too.) */
static void tells_each_break(struct play *play, unsigned broken)
{
    char line[64];

    snprintf(line, sizeof(line), "broken connections: %u", broken);
    if (broken > 0)
        expect_line(play, "broken connections:", broken, line);
}

static const struct step step_sigpipe = {
    .name = "sigpipe",
    .source = "sigpipe.c",
    .points = 10,
    .intent = "clients that vanish cost their connection, and are counted",
    .cases = cases,
    .count = STEP_COUNT(cases),
    .sweep = {.survives_sigpipe = true, .owes = tells_each_break}};
STEP(sigpipe);
