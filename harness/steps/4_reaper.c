/* 4_reaper.c - forked, and no child that has ended is left behind.
 *
 * Where children end together is made, not hoped for: the server is stopped,
 * or one of its calls held at a gate, while they end. A right server may wait
 * for its children in a handler, in a thread, by a descriptor, or not at all;
 * so no play demands that it ever calls wait(2).
 */
#include "forking.h"
#include "server.h"
#include "swept.h"
#include "watched.h"

#define TOGETHER 12

/* At rest, so many processes are left, and none of them a zombie. */
static void expect_reaped(struct play *play, unsigned processes)
{
    play_rest(play);
    expect_alive(play);
    play_explain(play, "A child lives as long as its client stays: fork(2).",
                 "What ends a child, and what else does its exit do: exit(3)?");
    expect_processes(play, processes);
    play_explain(play, NULL, NULL);
    expect_no_zombies(play);
}

/* In this order, while the server does nothing: each one's child ends. */
static void all_leave(struct play *play, struct peer *const *client, int count)
{
    for (int i = 0; i < count; i++) {
        play_half_close(play, client[i]);
        play_rest(play);
    }
}

static void serve_some(struct play *play, struct peer *client[TOGETHER])
{
    for (int i = 0; i < TOGETHER; i++)
        client[i] = forking_client(play);
    play_rest(play);
}

/* ---- Zombies ---- */

/* One ends, and no other client comes: the server has nothing else to do.
 * Then another, in disorder; and one by violence. */
static void reaps_children_that_end_one_by_one(struct play *play)
{
    unsigned alone = forking_serve(play);

    forking_leave(play, forking_client(play));
    expect_reaped(play, alone);
    struct peer *resets = forking_client(play);
    play_reset(play, resets);
    expect_reaped(play, alone);
    struct peer *victim = forking_client(play);
    play_rest(play);
    forking_kill_child_of(play, victim);
    expect_reaped(play, alone);
}

/* Elders outlive the youngest, and the other way round. */
static void reaps_children_in_any_order(struct play *play)
{
    unsigned alone = forking_serve(play);
    struct peer *client[TOGETHER];

    serve_some(play, client);
    for (unsigned i = 0; i < TOGETHER; i++) {
        forking_leave(play, client[(2 + 7 * i) % TOGETHER]);
        expect_reaped(play, alone + TOGETHER - 1 - i);
    }
}

/* All children end while the server is stopped: one SIGCHLD may stand for
 * them all when it goes on, whatever their status is. */
static void reaps_children_that_end_while_it_is_stopped(struct play *play)
{
    unsigned alone = forking_serve(play);
    struct peer *client[TOGETHER];

    serve_some(play, client);
    bool stopped = forking_can_be_stopped(play);
    if (stopped)
        play_freeze(play, play_pid(play));
    play_reset(play, client[0]);
    play_rest(play);
    all_leave(play, client + 1, TOGETHER - 1);
    expect_processes(play, alone);
    if (stopped)
        play_thaw(play, play_pid(play));
    expect_reaped(play, alone);
}

/* The server comes to wait for one child, and all others end before it does:
 * in a handler SIGCHLD is blocked then, and one signal stands for them. */
static void reaps_children_that_end_while_it_reaps(struct play *play)
{
    unsigned alone = forking_serve(play);
    struct peer *client[TOGETHER];

    serve_some(play, client);
    unsigned gate = play_fault(play, "wait#1=hold");
    play_half_close(play, client[0]);
    play_rest(play);
    all_leave(play, client + 1, TOGETHER - 1);
    expect_processes(play, alone);
    play_release(play, gate);
    expect_reaped(play, alone);
}

/* A child ends while the server is about to wait for the next client: a flag
 * that was looked at before is of no use then. */
static void ends_before(struct play *play, const char *wait,
                        enum play_blame blame, unsigned alone)
{
    struct peer *first = forking_client(play);

    play_rest(play);
    unsigned gate = play_fault(play, wait);
    struct peer *second = play_client(play);
    play_rest(play);
    bool held = play_is_held(play, gate);
    play_half_close(play, first);
    play_rest(play);
    play_release(play, gate);
    play_send(play, second, "hello\n");
    expect_echo(play, second);
    play_blame(play, held ? blame : BLAME_BY_ITSELF);
    expect_reaped(play, alone + 1);
    play_blame(play, BLAME_BY_ITSELF);
    forking_leave(play, second);
}

/* In accept, or in what it waits in before that. */
static void reaps_a_child_that_ends_during_accept(struct play *play)
{
    unsigned alone = forking_serve(play);

    ends_before(play, "accept#1=hold", BLAME_BY_ITSELF, alone);
    ends_before(play, "poll#1=hold", BLAME_WAKE, alone);
}

/* Children end while the server is in fork: an elder, and the very one that
 * it is making, before it has learnt its number. Who makes a child wait for
 * the server's word first has it end a little later. */
static void reaps_children_that_end_during_fork(struct play *play)
{
    unsigned alone = forking_serve(play);
    struct peer *elder = forking_client(play);

    play_rest(play);
    unsigned gate = play_fault(play, "fork#1=hold-after");
    struct peer *newborn = play_client(play);
    play_held(play, gate, 1);
    play_send(play, newborn, "hello\n");
    play_rest(play);
    play_half_close(play, newborn);
    play_rest(play);
    play_half_close(play, elder);
    play_rest(play);
    play_release(play, gate);
    expect_echo(play, newborn);
    expect_eof(play, newborn);
    expect_reaped(play, alone);
    forking_client(play);
}

/* One child has ended, another lives on: is the server there for the next
 * client? And when SIGCHLD comes though none has ended? */
static void waits_for_no_live_child(struct play *play)
{
    unsigned alone = forking_serve(play);
    struct peer *live = forking_client(play);

    forking_leave(play, forking_client(play));
    forking_client(play);
    expect_reaped(play, alone + 2);
    play_signal(play, SIGCHLD);
    forking_client(play);
    play_send(play, live, "still there?\n");
    expect_echo(play, live);
    expect_reaped(play, alone + 3);
}

#define SHORT 500
#define FEW   10

static bool has_timer(const struct trace *trace)
{
    return atomic_load(&trace->timer_ms) > 0 ||
           atomic_load(&trace->timers) > 0 ||
           atomic_load(&trace->long_alarms) > 0;
}

/* One after the other, each quite gone before the next comes: who reaps one
 * child for each signal is no matter of chance here. Who reaps when a time-out
 * or a timer has run out needs no signal, and is not asked to be quick. */
static void leaves_nothing_of_many_short_connections(struct play *play)
{
    unsigned alone = forking_serve(play), late = 0;

    for (int i = 0; i < SHORT && late < FEW; i++) {
        uint64_t paused = atomic_load(&play_trace(play)->paused_ms);
        struct peer *client = play_client(play);

        play_half_close(play, client);
        expect_eof(play, client);
        expect_processes(play, alone);
        expect_no_zombies(play);
        late += has_timer(play_trace(play)) ||
                atomic_load(&play_trace(play)->paused_ms) > paused;
    }
    expect_reaped(play, alone);
}

/* ---- Signals ---- */

/* SIGCHLD comes while the server waits for a client, with no child at all:
 * whatever it waits in is interrupted, and that is all. */
static void goes_on_after_a_signal(struct play *play)
{
    play_serve(play);
    for (int i = 0; i < 2; i++) {
        play_rest(play);
        play_signal(play, SIGCHLD);
        play_rest(play);
        expect_alive(play);
        forking_leave(play, forking_client(play));
    }
}

/* The same in the calls themselves: of the server and of its children. */
static void makes_an_interrupted_call_again(struct play *play)
{
    play_serve(play);
    for (int i = 0; i < 3; i++)
        forking_leave(play, forking_client(play));
}

/* Failed calls, and SIGCHLD before the server has looked at errno. There is
 * no child, so that the handler's wait fails, and says so in errno. It must
 * not, whether or not the server looks at errno today. */
static void keeps_errno_across_its_handler(struct play *play)
{
    play_blame(play, BLAME_ERRNO);
    play_serve(play);
    forking_client(play);
    if (atomic_load(&play_trace(play)->errno_lost) > 0)
        play_fail(play, "errno is the same after a handler as before it",
                  "a handler changed it, and did not set it back");
}

/* One child ends in order and one by violence, and both before the handler
 * comes to wait for them. What is then called in it, the trace knows. */
static void calls_only_safe_functions_in_its_handler(struct play *play)
{
    play_serve(play);
    struct peer *client = forking_client(play);
    struct peer *victim = play_client(play);
    play_send(play, victim, "hello\n");
    play_rest(play);
    unsigned gate = play_fault(play, "wait#1=hold");
    play_half_close(play, client);
    play_rest(play);
    if (victim->received > 0)
        forking_kill_child_of(play, victim);
    play_rest(play);
    play_release(play, gate);
    play_rest(play);
    server_expect_safe_handlers(play);
    server_gets_every_signal_it_handles(play);
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
     .hint = "It is step 3's server, with a reaper.",
     .play = forking_echoes_a_line,
     .needs = "listens"},
    {.name = "goes_on_after_a_signal",
     .obligation = OBLIGATION_interrupt,
     .points = 0.25,
     .why = "A handled signal interrupts accept(2), poll(2) and others: "
            "signal(7), Interruption of system calls.",
     .hint = "What does the loop do with EINTR, the handler with ECHILD? "
             "sigaction(2) knows SA_RESTART, but not for all calls.",
     .play = goes_on_after_a_signal,
     .needs = "echoes_a_line"},
    {.name = "makes_an_interrupted_call_again",
     .obligation = OBLIGATION_interrupt,
     .points = 0.25,
     .why = "A child inherits the handlers, so its reads and writes can be "
            "interrupted as well: fork(2), signal(7).",
     .hint = "EINTR is no failure: the call is made again.",
     .faults = "accept#2=EINTR,read@conn1#1=EINTR,write@conn3#1=EINTR",
     .play = makes_an_interrupted_call_again,
     .needs = "echoes_a_line"},
    {.name = "reaps_children_that_end_one_by_one",
     .obligation = OBLIGATION_zombie,
     .points = 1,
     .why = "A child that has ended stays as a zombie until its parent has "
            "waited for it: wait(2), NOTES.",
     .hint = "ps x shows zombies as <defunct>. When does the server learn of "
             "an end: signal(7), SIGCHLD?",
     .play = reaps_children_that_end_one_by_one,
     .needs = "echoes_a_line"},
    {.name = "reaps_children_in_any_order",
     .obligation = OBLIGATION_zombie,
     .points = 0.5,
     .why = "Children end in the order in which their clients leave, not in "
            "that of their making: waitpid(2), pid -1.",
     .hint = "Does it wait for one certain child? And what does waitpid(2) do "
             "while the others live?",
     .play = reaps_children_in_any_order,
     .needs = "echoes_a_line"},
    {.name = "reaps_children_that_end_while_it_is_stopped",
     .obligation = OBLIGATION_zombie,
     .points = 1,
     .why = "Signals are not counted: several children that end may be told "
            "by one SIGCHLD: signal(7), Queueing.",
     .hint = "How many children may have ended when the handler is called?",
     .play = reaps_children_that_end_while_it_is_stopped,
     .needs = "reaps_children_that_end_one_by_one"},
    {.name = "reaps_children_that_end_while_it_reaps",
     .obligation = OBLIGATION_zombie,
     .points = 0.5,
     .why = "While the handler runs, SIGCHLD is blocked, and what comes "
            "meanwhile comes as one: sigaction(2), SA_NODEFER.",
     .hint = "waitpid(2) with WNOHANG answers at once when there is no more.",
     .play = reaps_children_that_end_while_it_reaps,
     .needs = "reaps_children_that_end_one_by_one"},
    {.name = "reaps_a_child_that_ends_during_accept",
     .obligation = OBLIGATION_zombie,
     .points = 0.5,
     .why = "A child may end at any moment, also while the server is busy "
            "with the next client, or just about to wait for it: signal(7).",
     .hint = "Is there a moment at which SIGCHLD is blocked or not handled, or "
             "a flag is tested too early to stop the wait?",
     .play = reaps_a_child_that_ends_during_accept,
     .needs = "reaps_children_that_end_one_by_one"},
    {.name = "reaps_children_that_end_during_fork",
     .obligation = OBLIGATION_zombie,
     .points = 0.5,
     .why = "A child can have ended before fork(2) has told the parent its "
            "number: fork(2).",
     .hint = "What does the handler do with a child that it does not know?",
     .play = reaps_children_that_end_during_fork,
     .needs = "reaps_children_that_end_one_by_one"},
    {.name = "waits_for_no_live_child",
     .obligation = OBLIGATION_zombie,
     .points = 0.75,
     .why = "A server that waits for a child that lives serves nobody until "
            "that one ends: waitpid(2), WNOHANG.",
     .hint = "What does wait(2) do when there are children, but none has "
             "ended? And what does WNOHANG answer then?",
     .play = waits_for_no_live_child,
     .needs = "reaps_children_that_end_one_by_one"},
    {.name = "leaves_nothing_of_many_short_connections",
     .obligation = OBLIGATION_zombie,
     .points = 0.5,
     .why = "One zombie for each client fills the table of processes, and "
            "then fork(2) fails for everybody.",
     .hint = "The one that is missed now and then is the one to look for.",
     .play = leaves_nothing_of_many_short_connections,
     .needs = "reaps_children_that_end_one_by_one"},
    {.name = "keeps_errno_across_its_handler",
     .obligation = OBLIGATION_handler,
     .points = 1,
     .why = "A handler may run between a failed call and the program's look "
            "at errno: signal-safety(7), errno.",
     .hint = "What is errno after the handler's last waitpid(2)?",
     .faults = "accept#1=ECONNABORTED+SIGCHLD,accept#2=EAGAIN+SIGCHLD",
     .play = keeps_errno_across_its_handler,
     .needs = "echoes_a_line"},
    {.name = "calls_only_safe_functions_in_its_handler",
     .obligation = OBLIGATION_handler,
     .points = 1,
     .why = "A handler may interrupt printf(3) or malloc(3) halfway, and must "
            "not call them then: signal-safety(7).",
     .hint = "The page lists what may be called. Is a message needed at all?",
     .play = calls_only_safe_functions_in_its_handler,
     .needs = "echoes_a_line"},
    SERVER_ARGUMENTS(0.5),
    SERVER_IDLE("goes_on_after_a_signal"),
    {.name = "continues_short_reads_and_writes",
     .obligation = OBLIGATION_partial,
     .points = 0.25,
     .why = "A read or write may take fewer bytes than it was given: read(2), "
            "write(2), RETURN VALUE.",
     .hint = "write_all() of step 1 goes on with the rest.",
     .faults = "read@conn1#1..3=short:1,write@conn1#1..4=short:half",
     .play = forking_short_calls,
     .needs = "echoes_a_line"},
    {.name = "lets_a_silent_and_a_slow_client_delay_nobody",
     .obligation = OBLIGATION_concurrency,
     .points = 0.5,
     .why = "One client that says nothing must not hold up the others: that "
            "is what the children are for: fork(2).",
     .hint = "Does the end of one child do anything to the others?",
     .play = forking_silent_and_slow,
     .needs = "echoes_a_line"},
    {.name = "server_keeps_no_connection",
     .obligation = OBLIGATION_descriptors,
     .points = 0.25,
     .why = "After fork(2) both processes hold the connection; it ends only "
            "when the last of them has closed it: close(2).",
     .hint = "Who needs which of the two descriptors after the fork?",
     .play = forking_parent_keeps_none,
     .needs = "echoes_a_line"},
    {.name = "child_keeps_no_listening_socket",
     .obligation = OBLIGATION_descriptors,
     .points = 0.25,
     .why = "A child that holds the listening socket keeps the port taken "
            "when the server has ended: fork(2).",
     .hint = "Who needs which of the two descriptors after the fork?",
     .play = forking_child_keeps_its_own,
     .needs = "echoes_a_line"},
    {.name = "a_broken_connection_ends_its_child_only",
     .obligation = OBLIGATION_reset,
     .points = 0.25,
     .why = "Clients crash and networks fail: read(2) and write(2) then say "
            "ECONNRESET or ETIMEDOUT, and that is the end of one connection.",
     .hint = "Follow the child's path where a read fails: does it end in "
             "_exit(2)?",
     .faults = "read@conn3#1=ETIMEDOUT,write@conn4#1=ECONNRESET",
     .play = forking_reset,
     .needs = "echoes_a_line"},
    {.name = "a_failed_fork_costs_one_client",
     .obligation = OBLIGATION_fork,
     .points = 0.25,
     .why = "fork(2) fails when there are too many processes: that client is "
            "turned away, the server goes on.",
     .hint = "fork(2) has three kinds of result. What becomes of the "
             "connection with -1?",
     .faults = "fork#2=EAGAIN",
     .play = forking_fork_fails,
     .needs = "echoes_a_line"},
    {.name = "waits_out_a_shortage_of_descriptors",
     .obligation = OBLIGATION_accept,
     .points = 0.25,
     .why = "Without a descriptor accept(2) says EMFILE at once, as long as "
            "the client waits: who asks again at once eats a whole core.",
     .hint = "A short pause is enough.",
     .play = forking_no_descriptors,
     .needs = "echoes_a_line"},
    SWEPT_SERVER(0.5, 0.5, 0.5, 0.5, "reaps_children_that_end_one_by_one"),
    WATCHED_MEMORY(WATCHED_FAULTS, watched_forking, "echoes_a_line"),
    WATCHED_LEAK(WATCHED_FAULTS, watched_forking, "echoes_a_line"),
    WATCHED_CLOSE(WATCHED_FAULTS, watched_forking, "echoes_a_line"),
};

static const struct step step_reaper = {.name = "reaper",
                                        .source = "reaper.c",
                                        .points = 15,
                                        .intent = "forked, and no zombies",
                                        .cases = cases,
                                        .count = STEP_COUNT(cases),
                                        .sweep = {.leaves_no_zombies = true}};
STEP(reaper);
