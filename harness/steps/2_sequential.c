/* 2_sequential.c - one connection at a time, to its end, then the next.
 *
 * SIGPIPE is not asked for yet: no client leaves here while the server may
 * still have bytes for it.
 */
#include "server.h"
#include "swept.h"
#include "watched.h"

static void expect_untouched(struct play *play, const struct peer *waiting)
{
    play_rest(play);
    if (waiting->received > 0)
        play_fail(play, "one connection at a time, to its end",
                  "client %d was served before the one ahead of it had ended",
                  waiting->number);
}

/* Two wait in the backlog, one of them has sent all it has: does each get
 * its turn? The third need not be connected: the backlog may be short. */
static void serves_waiting_clients_in_turn(struct play *play)
{
    play_serve(play);
    struct peer *first = play_client(play);
    play_send(play, first, "first\n");
    expect_echo(play, first);
    struct peer *second = play_client(play);
    play_send(play, second, "second\n");
    expect_untouched(play, second);

    struct peer *third = play_client_later(play);
    play_send(play, third, "third\n");
    play_half_close(play, third);
    play_half_close(play, first);
    expect_eof(play, first);
    expect_echo(play, second);
    play_half_close(play, second);
    expect_eof(play, second);
    expect_echo(play, third);
    expect_eof(play, third);
}

/* ---- What fails, and what it may cost ---- */

/* A client breaks off while nothing is under way; a read, a write fails. */
static void a_reset_costs_one_client(struct play *play)
{
    play_serve(play);
    struct peer *rude = play_client(play);
    play_send(play, rude, "hello\n");
    expect_echo(play, rude);
    play_rest(play);
    play_reset(play, rude);
    play_rest(play);
    server_serves_another(play);
    for (int i = 0; i < 2; i++) { /* connections 3 and 4 */
        play_rest(play);
        server_loses_a_client(play);
    }
    play_rest(play);
    server_loses_a_client_before_accept(play);
}

/* ---- What is left behind ---- */

/* 100 connections, every fourth of which breaks. */
static void closes_every_descriptor(struct play *play)
{
    play_serve(play);
    server_visit(play, 1, false);
    play_count_descriptors(play);
    for (int i = 1; i <= 100; i++)
        server_visit(play, 1, i % 4 == 0);
    expect_same_descriptors(play);
    server_serves_another(play);
}

#define VISITS     192
#define GROWTH_KIB 256 /* 1.3 KiB a visit */

/* Freed memory may stay with the process: so it is compared with what it had
 * after some connections, and the same memory must do for many more, of
 * which every second one breaks; or, where it uses one place after the other,
 * for as many again. */
static void memory_does_not_grow(struct play *play)
{
    play_serve(play);
    for (int i = 0; i < VISITS / 8; i++)
        server_visit(play, 4 * KIB, i % 2 == 0);
    play_rest(play);
    long before_kib = 0, now_kib = census_memory_kib(play_pid(play), false);
    for (int stretch = 0; stretch < 2; stretch++) {
        before_kib = now_kib;
        for (int i = 0; i < VISITS; i++)
            server_visit(play, 4 * KIB, i % 2 == 0);
        play_rest(play);
        now_kib = census_memory_kib(play_pid(play), false);
        if (now_kib <= before_kib + GROWTH_KIB)
            return;
    }
    play_blame(play, BLAME_MEMORY);
    play_fail(play, "memory does not grow from client to client",
              "it had %ld KiB, and after %d more connections %ld KiB",
              before_kib, VISITS, now_kib);
}

static void short_writes_cost_nothing(struct play *play)
{
    server_costs_nothing(play);
    server_goes_on_behind_a_short_write(play);
}

/* clang-format off */
static const struct step_case cases[] = {
    {.name = "compiles", .obligation = OBLIGATION_build,
     .why = "What does not compile cannot be run: gcc(1).",
     .hint = "The compiler's first error is the one to read."},
    {.name = "listens", .obligation = OBLIGATION_startup, .points = 0.25,
     .why = "A server asks the kernel for a port and then waits for clients: "
            "socket(2), bind(2), listen(2).",
     .hint = "The port is the first argument, and goes into the address in "
             "network byte order.",
     .play = server_listens},
    {.name = "echoes_a_line", .obligation = OBLIGATION_echo, .points = 0.5,
     .why = "An echo server sends back what it gets, and closes when the "
            "client has ended: RFC 862.",
     .hint = "Write as many bytes as read(2) gave; it answers 0 at the end, "
             "and only then.",
     .play = server_echoes_a_line, .needs = "listens"},
    SERVER_ARGUMENTS(0.5),
    {.name = "says_why_it_cannot_listen", .obligation = OBLIGATION_startup,
     .points = 0.25,
     .why = "Each call on the way to a listening socket can fail, and a server "
            "that goes on without one serves nobody: bind(2), ERRORS.",
     .hint = "Look at every result; strerror(3) knows the reason.",
     .play = server_says_why_it_cannot_listen, .needs = "listens"},
    {.name = "listens_on_all_addresses", .obligation = OBLIGATION_startup,
     .points = 0.25,
     .why = "A server on the loopback address alone is not there for other "
            "machines: ip(7), INADDR_ANY.",
     .hint = "Which address does bind(2) get?",
     .play = server_listens_on_all_addresses, .needs = "echoes_a_line"},
    {.name = "restarts_at_once_on_its_port", .obligation = OBLIGATION_startup,
     .points = 0.5,
     .why = "Ended connections stay in TIME_WAIT for a minute and keep the "
            "port: socket(7), SO_REUSEADDR.",
     .hint = "The option is of use before bind(2) only.",
     .play = server_restarts_at_once_on_its_port, .needs = "echoes_a_line"},
    {.name = "echoes_before_the_end", .obligation = OBLIGATION_echo,
     .points = 0.5,
     .why = "A client that waits for its echo before it goes on would wait "
            "for ever: RFC 862.",
     .hint = "TCP knows no lines and no messages: write what a read gave, "
             "then read again.",
     .play = server_echoes_before_the_end, .needs = "echoes_a_line"},
    {.name = "echoes_any_number_of_any_bytes", .obligation = OBLIGATION_echo,
     .points = 0.5,
     .why = "A connection carries any number of bytes of any value, 0 too: "
            "tcp(7).",
     .hint = "How much there is to write is what read(2) answered, not what "
             "strlen(3) finds.",
     .play = server_echoes_any_number_of_any_bytes, .needs = "echoes_a_line"},
    {.name = "drains_after_a_half_close", .obligation = OBLIGATION_echo,
     .points = 0.5,
     .why = "A client that has half-closed still waits for the rest of its "
            "echo: shutdown(2).",
     .hint = "The end of what comes is not the end of what is to go.",
     .faults = "write@conn1#1..3=EAGAIN",
     .play = server_drains_after_a_half_close, .needs = "echoes_a_line"},
    {.name = "serves_waiting_clients_in_turn", .obligation = OBLIGATION_echo,
     .points = 0.5,
     .why = "While one is served the kernel lets others connect and wait; "
            "each gets its turn: listen(2), backlog.",
     .hint = "The listening socket stays open, and accept is called again.",
     .play = serves_waiting_clients_in_turn, .needs = "echoes_before_the_end"},
    {.name = "short_reads_cost_nothing", .obligation = OBLIGATION_partial,
     .points = 0.25,
     .why = "read(2) may give less than it was asked for, and a descriptor "
            "that was reported ready may not be: select(2), BUGS.",
     .hint = "Few bytes are no end, and EAGAIN is no error.",
     .faults = "accept#1=EAGAIN,read@conn1#1=EAGAIN,read@conn1#1..9=short:1",
     .play = server_costs_nothing, .needs = "echoes_a_line"},
    {.name = "short_writes_cost_nothing", .obligation = OBLIGATION_partial,
     .points = 0.25,
     .why = "write(2) may take less than it was given: the rest is still to "
            "be written.",
     .hint = "Go on behind what was taken until nothing is left.",
     .faults = "write@conn1#1=EAGAIN,write@conn1#1..8=short:1,"
               "write@conn1#1..64=short:half",
     .play = short_writes_cost_nothing, .needs = "echoes_a_line"},
    {.name = "interrupted_calls_cost_nothing",
     .obligation = OBLIGATION_interrupt, .points = 0.25,
     .why = "A signal with a handler ends a waiting call with EINTR, and "
            "nothing is wrong: signal(7).",
     .hint = "Call again.",
     .faults = "accept#1=EINTR,poll#1=EINTR,read@conn1#1=EINTR,"
               "write@conn1#1=EINTR",
     .play = server_costs_nothing, .needs = "echoes_a_line"},
    {.name = "a_reset_costs_one_client", .obligation = OBLIGATION_reset,
     .points = 0.25,
     .why = "A connection may break at any moment, and that is the end of this "
            "connection, not of the server: tcp(7), ERRORS.",
     .hint = "What does the program do when a read or write answers -1?",
     .faults = "read@conn3#1=ETIMEDOUT,write@conn4#1=ECONNRESET",
     .play = a_reset_costs_one_client, .needs = "serves_waiting_clients_in_turn"},
    {.name = "a_failed_accept_costs_nothing", .obligation = OBLIGATION_accept,
     .points = 0.25,
     .why = "accept(2) fails for a client that has left already, and the next "
            "one may be waiting: accept(2), Error handling.",
     .hint = "Which errors of accept end the program?",
     .faults = "accept#1=ECONNABORTED,accept#2=EPROTO",
     .play = server_a_failed_accept_costs_nothing, .needs = "echoes_a_line"},
    {.name = "a_shortage_costs_one_client", .obligation = OBLIGATION_accept,
     .points = 0.25,
     .why = "The machine may be short of files or memory for a moment; who "
            "ends by it is gone when the moment is over: accept(2), ERRORS.",
     .hint = "Which errors of accept end the program?",
     .faults = "accept#1=ENFILE,accept#2=ENOBUFS,accept#3=ENOMEM",
     .play = server_a_shortage_costs_one_client, .needs = "serves_waiting_clients_in_turn"},
    {.name = "waits_while_out_of_descriptors", .obligation = OBLIGATION_accept,
     .points = 0.25,
     .why = "With no descriptor left accept fails at once, again and again, "
            "and a loop around it burns the processor: accept(2), EMFILE.",
     .hint = "A short pause before the next try is enough: poll(2) can wait "
             "for nothing.",
     .play = server_waits_while_out_of_descriptors,
     .needs = "serves_waiting_clients_in_turn"},
    {.name = "a_failed_malloc_costs_one_client",
     .obligation = OBLIGATION_memory, .points = 0.25,
     .why = "malloc(3) may answer NULL; one client can be turned away, a "
            "crash turns all away.",
     .hint = "Look at the result before you use it.",
     .play = server_a_failed_malloc_costs_one_client, .needs = "serves_waiting_clients_in_turn"},
    SERVER_IDLE("serves_waiting_clients_in_turn"),
    {.name = "closes_every_descriptor", .obligation = OBLIGATION_descriptors,
     .points = 0.5,
     .why = "Descriptors are few: a server that keeps one of each connection "
            "stops after a thousand: close(2), getrlimit(2).",
     .hint = "shutdown(2) ends a connection and frees no descriptor.",
     .play = closes_every_descriptor,
     .needs = "a_reset_costs_one_client"},
    {.name = "memory_does_not_grow", .obligation = OBLIGATION_leak,
     .points = 0.25,
     .why = "A server runs for months: what each connection leaves adds up: "
            "free(3).",
     .hint = "Every way out of a connection frees what it took.",
     .play = memory_does_not_grow, .needs = "a_reset_costs_one_client"},
    SERVER_HANDLERS("echoes_a_line"),
    SWEPT_SERVER(0.5, 0.25, 0.5, 0.25, "serves_waiting_clients_in_turn"),
    WATCHED_MEMORY(WATCHED_FAULTS, watched_server, "echoes_a_line"),
    WATCHED_LEAK(WATCHED_FAULTS, watched_server, "echoes_a_line"),
};
/* clang-format on */

static const struct step step_sequential = {
    .name = "sequential",
    .source = "sequential.c",
    .points = 10,
    .intent = "one connection at a time, to its end, then the next",
    .cases = cases,
    .count = STEP_COUNT(cases)};
STEP(sequential);
