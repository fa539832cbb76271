/* 3_forked.c - a child process for each connection.
 *
 * Zombies are not graded yet, and processes are counted without them.
 */
#include "forking.h"
#include "server.h"
#include "swept.h"
#include "watched.h"

/* ---- Start ---- */

/* The server's side ends first, so its port is left in TIME_WAIT: can the
 * next one have it? */
static void restarts_at_once_on_its_port(struct play *play)
{
    play_serve(play);
    struct peer *client = forking_client(play);
    play_stop(play);
    expect_gone(play, client);
    play_close(play, client);
    play_serve_again(play);
    forking_client(play);
}

/* ---- Echo ---- */

/* All bytes and the half-close are there before it is accepted. */
static void drains_after_a_half_close(struct play *play)
{
    unsigned gate = play_fault(play, "accept#1=hold");

    play_serve(play);
    struct peer *client = play_client(play);
    play_send_pattern(play, client, 64 * KIB);
    play_half_close(play, client);
    play_held(play, gate, 1);
    play_rest(play);
    play_release(play, gate);
    expect_echo(play, client);
    expect_eof(play, client);
    expect_no_commands(play, play_client(play));
}

/* A long stream that never stops for the echo. */
static void echoes_a_mebibyte(struct play *play)
{
    play_serve(play);
    struct peer *client = play_client(play);
    play_send_pattern(play, client, MIB);
    expect_echo(play, client);
    play_half_close(play, client);
    expect_eof(play, client);
}

/* Where it has a handler without SA_RESTART, signals interrupt calls. */
static void is_not_stopped_by_a_signal(struct play *play)
{
    play_serve(play);
    for (int i = 0; i < 3; i++)
        forking_leave(play, forking_client(play));
}

/* ---- A child for each ---- */

/* One process more for each client that is there, told apart from those that
 * the server has anyway. */
static void gives_each_client_a_child(struct play *play)
{
    unsigned alone = forking_serve(play);

    for (unsigned clients = 1; clients <= 3; clients++) {
        forking_client(play);
        forking_expect_processes(play, alone + clients);
    }
}

/* Clients leave; do their children go with them, and no other? */
static void ends_a_child_with_its_connection(struct play *play)
{
    unsigned alone = forking_serve(play);
    struct peer *first = forking_client(play);
    struct peer *second = forking_client(play);

    forking_leave(play, first);
    forking_expect_processes(play, alone + 1);
    play_send(play, second, "still there?\n");
    expect_echo(play, second);
    forking_leave(play, second);
    forking_expect_processes(play, alone);
}

#define MANY 130
#define MORE 30 /* no table of 128 has room for them all */

/* All stay, and talk again when all are there: none waits for the program to
 * settle. And no end of those who come one by one. */
static void serves_any_number_at_once(struct play *play)
{
    struct peer *client[MANY];

    play_serve(play);
    for (int i = 0; i < MANY; i++) {
        client[i] = play_client(play);
        play_send(play, client[i], "hello\n");
        expect_echo(play, client[i]);
    }
    for (int i = 0; i < MANY; i++)
        play_send(play, client[i], "all here?\n");
    for (int i = 0; i < MANY; i++)
        expect_echo(play, client[i]);
    for (int i = 0; i < MANY; i++)
        play_half_close(play, client[i]);
    for (int i = 0; i < MANY; i++)
        expect_eof(play, client[i]);
    for (int i = 0; i < MORE; i++)
        forking_leave(play, forking_client(play));
}

/* SIGKILL: nothing of what the child would have done at its end is done. */
static void outlives_a_killed_child(struct play *play)
{
    unsigned alone = forking_serve(play);
    struct peer *client = forking_client(play);
    struct peer *victim = forking_client(play);

    play_rest(play);
    forking_kill_child_of(play, victim);
    expect_gone(play, victim);
    play_send(play, client, "still there?\n");
    expect_echo(play, client);
    forking_expect_processes(play, alone + 1);
    forking_client(play);
}

/* ---- What is left ---- */

/* Clients that came and went leave no descriptor. */
static void leaves_no_descriptor_behind(struct play *play)
{
    play_serve(play);
    play_count_descriptors(play);
    for (int i = 0; i < 20; i++) {
        struct peer *client = forking_client(play);

        play_half_close(play, client);
        expect_eof(play, client);
    }
    expect_same_descriptors(play);
}

/* ---- Failures ---- */

static bool has_fired(struct play *play, void *fault)
{
    return play_fired(play, *(unsigned *)fault);
}

#define WAITING 32

/* No process to be had, for a while: a server may try again, but not without
 * a pause, or turn clients away; then all is as before. */
static void waits_out_a_shortage_of_processes(struct play *play)
{
    play_serve(play);
    struct peer *client = forking_client(play);
    play_rest(play);
    unsigned shortage = play_fault(play, "fork#1..=EAGAIN");
    struct peer *waiting[WAITING];
    int count = 0;
    for (uint32_t taken = 0; count < WAITING; count++) {
        uint32_t now = atomic_load(&play_trace(play)->accepted);

        if (count > 1 && now == taken)
            break; /* who tries again takes nobody else meanwhile */
        taken = now;
        waiting[count] = play_client(play);
        play_send(play, waiting[count], "hello\n");
        if (count == 0)
            expect_that(play, has_fired, &shortage,
                        "the server forks for a client");
        play_settle_soon(play);
        expect_alive(play);
    }
    expect_no_spin(play);
    play_send(play, client, "still there?\n");
    expect_echo(play, client);
    play_fault_ends(play, shortage);
    for (int i = 0; i < count; i++)
        server_expect_answer(play, waiting[i]);
    forking_client(play);
}

/* A program that asks for memory for a client, and gets none. */
static void lives_without_memory_for_a_client(struct play *play)
{
    play_serve(play);
    struct peer *client = forking_client(play);
    play_rest(play);
    server_loses_one_at_most(play, "malloc#1=ENOMEM");
    play_send(play, client, "still there?\n");
    expect_echo(play, client);
    forking_client(play);
}

/* ---- The table ---- */

static const struct step_case cases[] = {
    {.name = "compiles",
     .obligation = OBLIGATION_build,
     .why = "What does not compile cannot be run: gcc(1).",
     .hint = "The compiler's first error is the one to read."},
    {.name = "listens",
     .obligation = OBLIGATION_startup,
     .points = 0.5,
     .why = "A server waits for clients on its port, on all addresses of the "
            "machine: listen(2); ip(7), INADDR_ANY.",
     .hint = "tcp_listen() of step 2 does it; which address does it bind?",
     .play = forking_listens},
    {.name = "echoes_a_line",
     .obligation = OBLIGATION_echo,
     .points = 0.5,
     .why = "An echo server sends back what it gets as soon as it can: "
            "RFC 862.",
     .hint = "echo() of step 2 does it; now a child calls it.",
     .play = forking_echoes_a_line,
     .needs = "listens"},
    SERVER_ARGUMENTS(0.25),
    {.name = "says_why_it_cannot_listen",
     .obligation = OBLIGATION_startup,
     .points = 0.25,
     .why = "A server that goes on without its port serves nobody: bind(2), "
            "EADDRINUSE.",
     .hint = "Look at every result; strerror(3) knows the reason.",
     .play = server_says_why_it_cannot_listen,
     .needs = "listens"},
    {.name = "restarts_at_once_on_its_port",
     .obligation = OBLIGATION_startup,
     .points = 0.5,
     .why = "Ended connections stay in TIME_WAIT for a minute and keep the "
            "port: socket(7), SO_REUSEADDR.",
     .hint = "The option is of use before bind(2) only.",
     .play = restarts_at_once_on_its_port,
     .needs = "echoes_a_line"},
    {.name = "gives_each_client_a_child",
     .obligation = OBLIGATION_concurrency,
     .points = 0.75,
     .why = "A child process for each connection is what this step is about: "
            "fork(2).",
     .hint = "ps f shows the server and, below it, its children.",
     .play = gives_each_client_a_child,
     .needs = "echoes_a_line"},
    {.name = "server_keeps_no_connection",
     .obligation = OBLIGATION_descriptors,
     .points = 0.5,
     .why = "After fork(2) both processes hold the connection; it ends only "
            "when the last of them has closed it: close(2).",
     .hint = "Who needs which of the two descriptors after the fork?",
     .play = forking_parent_keeps_none,
     .needs = "gives_each_client_a_child"},
    {.name = "echoes_a_mebibyte",
     .obligation = OBLIGATION_echo,
     .points = 0.5,
     .why = "A connection carries any number of bytes of any value, and ends "
            "when the client has ended it: tcp(7).",
     .hint = "read(2) answers 0 at the end, and only then. Who else holds the "
             "connection when the child has closed it?",
     .play = echoes_a_mebibyte,
     .needs = "echoes_a_line"},
    {.name = "drains_after_a_half_close",
     .obligation = OBLIGATION_echo,
     .points = 0.5,
     .why = "A client that has half-closed still waits for the rest of its "
            "echo: shutdown(2).",
     .hint = "The end of what comes is not the end of what is to go.",
     .play = drains_after_a_half_close,
     .needs = "echoes_a_line"},
    {.name = "continues_short_reads_and_writes",
     .obligation = OBLIGATION_partial,
     .points = 0.25,
     .why = "A read or write may take fewer bytes than it was given: read(2), "
            "write(2), RETURN VALUE.",
     .hint = "write_all() of step 1 goes on with the rest.",
     .faults = "read@conn1#1..3=short:1,write@conn1#1..4=short:half",
     .play = forking_short_calls,
     .needs = "echoes_a_line"},
    {.name = "is_not_stopped_by_a_signal",
     .obligation = OBLIGATION_interrupt,
     .points = 0.5,
     .why = "A signal that is handled interrupts a call that waits: signal(7), "
            "Interruption of system calls.",
     .hint = "EINTR is no failure: the call is made again.",
     .faults = "accept#2=EINTR,read@conn1#1=EINTR,write@conn2#1=EINTR",
     .play = is_not_stopped_by_a_signal,
     .needs = "echoes_a_mebibyte"},
    {.name = "ends_a_child_with_its_connection",
     .obligation = OBLIGATION_concurrency,
     .points = 1,
     .why = "A child that goes on after its client is one process more for "
            "ever: _exit(2).",
     .hint = "Where does the child go when echo() returns?",
     .play = ends_a_child_with_its_connection,
     .needs = "echoes_a_line"},
    {.name = "lets_a_silent_and_a_slow_client_delay_nobody",
     .obligation = OBLIGATION_concurrency,
     .points = 0.5,
     .why = "One client that says nothing must not hold up the others: that "
            "is what the children are for: fork(2).",
     .hint = "What does the server do between fork(2) and the next accept(2)?",
     .play = forking_silent_and_slow,
     .needs = "echoes_a_line"},
    {.name = "serves_any_number_at_once",
     .obligation = OBLIGATION_concurrency,
     .points = 0.5,
     .why = "The number of clients is limited by the system, not by the "
            "server: getrlimit(2), RLIMIT_NPROC.",
     .hint = "Is there a table with a size, or a fixed number of processes?",
     .play = serves_any_number_at_once,
     .needs = "gives_each_client_a_child"},
    {.name = "outlives_a_killed_child",
     .obligation = OBLIGATION_concurrency,
     .points = 0.5,
     .why = "Processes are there to keep trouble apart: the death of one "
            "child is nothing to the others: fork(2).",
     .hint = "What does the server learn of the end of a child, and what does "
             "it do then?",
     .play = outlives_a_killed_child,
     .needs = "gives_each_client_a_child"},
    {.name = "child_keeps_no_listening_socket",
     .obligation = OBLIGATION_descriptors,
     .points = 1,
     .why = "A child that holds the listening socket keeps the port taken "
            "when the server has ended: fork(2).",
     .hint = "Who needs which of the two descriptors after the fork?",
     .play = forking_child_keeps_its_own,
     .needs = "gives_each_client_a_child"},
    SERVER_IDLE("echoes_a_line"),
    {.name = "leaves_no_descriptor_behind",
     .obligation = OBLIGATION_descriptors,
     .points = 0.5,
     .why = "A server that loses a descriptor with each client has none left "
            "after a thousand: getrlimit(2), RLIMIT_NOFILE.",
     .hint = "ls -l /proc/PID/fd shows what it holds.",
     .play = leaves_no_descriptor_behind,
     .needs = "echoes_a_line"},
    {.name = "a_broken_connection_ends_its_child_only",
     .obligation = OBLIGATION_reset,
     .points = 0.25,
     .why = "Clients crash and networks fail: read(2) and write(2) then say "
            "ECONNRESET or ETIMEDOUT, and that is the end of one connection.",
     .hint = "Follow the child's path where a read fails: does it end in "
             "_exit(2), or in the loop around accept(2)?",
     .faults = "read@conn3#1=ETIMEDOUT,write@conn4#1=ECONNRESET",
     .play = forking_reset,
     .needs = "gives_each_client_a_child"},
    {.name = "a_failed_fork_costs_one_client",
     .obligation = OBLIGATION_fork,
     .points = 0.5,
     .why = "fork(2) fails when there are too many processes: that client is "
            "turned away, the server goes on.",
     .hint = "fork(2) has three kinds of result. What becomes of the "
             "connection with -1?",
     .faults = "fork#2=EAGAIN",
     .play = forking_fork_fails,
     .needs = "gives_each_client_a_child"},
    {.name = "waits_out_a_shortage_of_processes",
     .obligation = OBLIGATION_fork,
     .points = 0.25,
     .why = "A shortage lasts, and a server that asks again and again without "
            "a pause makes it worse: fork(2), EAGAIN.",
     .hint = "Turn the client away, or wait a little before the next try.",
     .play = waits_out_a_shortage_of_processes,
     .needs = "gives_each_client_a_child"},
    {.name = "survives_failures_of_accept",
     .obligation = OBLIGATION_accept,
     .points = 0.25,
     .why = "accept(2) reports what became of one connection, or that files or "
            "memory are short: neither is the end of a server.",
     .hint = "accept(2), ERRORS: which of them will not pass?",
     .faults = "accept#1=ECONNABORTED,accept#2=EPROTO,accept#4=ENFILE",
     .play = forking_accept_fails,
     .needs = "echoes_a_line"},
    {.name = "waits_out_a_shortage_of_descriptors",
     .obligation = OBLIGATION_accept,
     .points = 0.25,
     .why = "Without a descriptor accept(2) says EMFILE at once, as long as "
            "the client waits: who asks again at once eats a whole core.",
     .hint = "A short pause is enough.",
     .play = forking_no_descriptors,
     .needs = "gives_each_client_a_child"},
    {.name = "lives_without_memory_for_a_client",
     .obligation = OBLIGATION_memory,
     .points = 0.5,
     .why = "malloc(3) can fail; that costs the client it was for.",
     .hint = "Look at its result. No malloc(3) at all is an answer, too.",
     .play = lives_without_memory_for_a_client,
     .needs = "gives_each_client_a_child"},
    SERVER_HANDLERS("echoes_a_line"),
    SWEPT_SERVER(0.5, 0.5, 0.5, 0.5, "gives_each_client_a_child"),
    WATCHED_MEMORY(WATCHED_FAULTS, watched_forking, "echoes_a_line"),
    WATCHED_LEAK(WATCHED_FAULTS, watched_forking, "echoes_a_line"),
    WATCHED_CLOSE(WATCHED_FAULTS, watched_forking, "echoes_a_line"),
};

static const struct step step_forked = {
    .name = "forked",
    .source = "forked.c",
    .points = 15,
    .intent = "a child process for each connection",
    .cases = cases,
    .count = STEP_COUNT(cases),
};
STEP(forked);
