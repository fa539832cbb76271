/* 1_client.c - step 1 as a table, and its plays of bytes: what comes on stdin
 * goes to the server, what comes from the server goes to stdout. How the
 * program begins: 1_client_start.c; how it ends: 1_client_end.c. */
#include "1_client.h"
#include "swept.h"
#include "watched.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Shared by the plays ---- */

static struct talk talk_to(struct play *play, enum peer_answer answer,
                           bool terminal)
{
    const char *const args[] = {"127.0.0.1", play_port_text(play), NULL};
    struct talk talk;

    if (answer == ANSWER_BLOCKING)
        play_listen_small(play, "127.0.0.1", 16 * KIB);
    else
        play_listen(play, "127.0.0.1");
    talk.user = play_start_user(play, args, terminal);
    talk.server = play_accept(play, answer);
    if (answer != ANSWER_NOTHING)
        play_half_close(play, talk.server);
    return talk;
}

struct talk client_talks(struct play *play, enum peer_answer answer)
{
    return talk_to(play, answer, false);
}

struct talk client_talks_on_a_terminal(struct play *play)
{
    return talk_to(play, ANSWER_ECHO, true);
}

/* A period that no buffer is a multiple of: a lost block shows. */
#define LINE   16u
#define PERIOD (LINE * 4099)

void types_lines(struct play *play, struct peer *user, size_t len)
{
    char *lines = malloc(len + 1);

    if (!lines)
        abort();
    for (size_t at = 0; at < len; at += LINE)
        if (at < PERIOD)
            snprintf(lines + at, LINE + 1, "line %10zu\n", at / LINE);
        else
            memcpy(lines + at, lines + at - PERIOD, LINE);
    play_send_bytes(play, user, lines, len);
    free(lines);
}

void expect_echo_at_last(struct play *play, struct peer *user)
{
    play_settle(play);
    if (user->received == 0)
        play_half_close(play, user);
    expect_echo(play, user);
}

void expect_nothing_shown(struct play *play, struct peer *user)
{
    play_settle(play);
    if (user->received > 0)
        play_fail(play, "what the server sends goes to stdout, nothing else",
                  "stdout got %llu bytes before the server sent any",
                  (unsigned long long)user->received);
}

/* ---- Bytes ---- */

/* Does one line go there and come back? */
static void echoes_a_line(struct play *play)
{
    struct talk talk = client_talks(play, ANSWER_ECHO);

    play_send(play, talk.user, "hello\n");
    expect_echo_at_last(play, talk.user);
}

static void expect_line_by_line(struct play *play, struct peer *user)
{
    play_send(play, user, "one\n");
    expect_echo(play, user);
    play_send(play, user, "two\n");
    expect_echo(play, user);
    play_send(play, user, "\n");
    expect_echo(play, user);
    play_send(play, user, "four\n");
    expect_echo(play, user);
}

/* A program types, and reads each answer before it goes on; some of what it
 * types just fills a buffer. */
static void shows_each_echo_before_the_next_line(struct play *play)
{
    struct peer *user = client_talks(play, ANSWER_ECHO).user;

    expect_line_by_line(play, user);
    for (size_t len = 128; len <= 16 * KIB; len *= 2) {
        types_lines(play, user, len);
        expect_echo(play, user);
    }
}

/* A person types, and wants to see each echo before going on. */
static void talks_to_a_terminal(struct play *play)
{
    struct peer *user = client_talks_on_a_terminal(play).user;

    expect_line_by_line(play, user);
    expect_no_commands(play, user);
}

/* The server thinks between the bytes: is each shown when it has come? */
static void shows_pieces_as_they_come(struct play *play)
{
    struct talk talk = client_talks(play, ANSWER_NOTHING);

    play_send(play, talk.user, "hello\n");
    expect_arrived(play, talk.server, 6);
    expect_nothing_shown(play, talk.user);
    play_send(play, talk.server, "h");
    expect_bytes(play, talk.user, 1);
    play_send(play, talk.server, "ell");
    expect_bytes(play, talk.user, 4);
    play_send(play, talk.server, "o\n");
    expect_echo(play, talk.user);
}

/* All 256 values, more of them than a usual buffer holds, and nothing that
 * could be called a line. The server answers when stdin has ended. */
static void passes_bytes_of_any_value(struct play *play)
{
    struct talk talk = client_talks(play, ANSWER_PIECES);

    play_pause(play, talk.server);
    play_send_pattern(play, talk.user, 20 * KIB);
    play_half_close(play, talk.user);
    expect_nothing_shown(play, talk.user);
    play_resume(play, talk.server);
    expect_echo(play, talk.user);
    play_settle(play);
}

/* Does a last line without a newline stay one? */
static void keeps_a_last_line_without_newline(struct play *play)
{
    struct talk talk = client_talks(play, ANSWER_ECHO);

    play_pause(play, talk.server);
    play_send(play, talk.user, "one\ntwo");
    play_half_close(play, talk.user);
    expect_nothing_shown(play, talk.user);
    play_resume(play, talk.server);
    expect_echo(play, talk.user);
    play_settle(play);
}

/* ---- Calls that do less than they were asked for ---- */

/* Does what the row plans cost a byte, or the talk? */
static void costs_nothing(struct play *play)
{
    struct talk talk = client_talks(play, ANSWER_ECHO);

    play_pause(play, talk.server); /* else the pieces would be of any size */
    types_lines(play, talk.user, 64 * LINE);
    play_settle(play);
    play_resume(play, talk.server);
    expect_echo_at_last(play, talk.user);
    play_settle(play);
}

/* ---- Two streams at once ---- */

/* A correct echo server reads no more until it has sent back what it read:
 * does the client read on while it has so much to send? What the two can
 * hold between them is far less than the part that must get through. */
static void never_deadlocks_on_a_long_input(struct play *play)
{
    play_kernel_buffers(play, 64 * KIB, 64 * KIB);
    struct talk talk = client_talks(play, ANSWER_BLOCKING);
    play_widen_output(talk.user);
    types_lines(play, talk.user, 8 * MIB);
    play_half_close(play, talk.user);
    expect_arrived(play, talk.server, 512 * KIB);
}

/* stdout is a pipe that nobody reads for a while: does it wait, and lose
 * nothing? */
static void waits_for_a_slow_reader_of_stdout(struct play *play)
{
    struct talk talk = client_talks(play, ANSWER_ECHO);

    play_pause(play, talk.user);
    types_lines(play, talk.user, 256 * KIB);
    play_settle(play);
    play_resume(play, talk.user);
    expect_arrived(play, talk.server, 256 * KIB);
    expect_bytes(play, talk.user, 128 * KIB); /* the rest may be buffered */
}

/* The user thinks, then the server does, while the user has ended and its
 * answer is due: what does the client do? */
static void waits_without_spinning(struct play *play)
{
    struct talk talk = client_talks(play, ANSWER_ECHO);

    play_send(play, talk.user, "hello\n");
    expect_idle(play);
    play_pause(play, talk.server);
    play_send(play, talk.user, "and more\n");
    play_half_close(play, talk.user);
    expect_idle(play);
}

/* ---- The table ---- */

/* clang-format off */
static const struct step_case cases[] = {
    {.name = "compiles", .obligation = OBLIGATION_build,
     .why = "What does not compile cannot be run: gcc(1).",
     .hint = "Begin with the compiler's first error."},
    {.name = "connects", .obligation = OBLIGATION_startup, .points = 0.5,
     .why = "A client begins by connecting to the server that it was given: "
            "connect(2).",
     .hint = "Look up the address, make a socket, connect it.",
     .play = connects},
    {.name = "echoes_a_line", .obligation = OBLIGATION_echo, .points = 0.5,
     .why = "What is typed goes to the server, and what it answers to the "
            "screen: RFC 862.",
     .hint = "Follow one line: stdin, socket, socket, stdout.",
     .play = echoes_a_line, .needs = "connects"},
    {.name = "shows_each_echo_before_the_next_line",
     .obligation = OBLIGATION_echo, .points = 0.5,
     .why = "Whoever types the next line may want to see the answer to the "
            "last one first; a buffer that waits for more shows it too late: "
            "setvbuf(3), stdout(3).",
     .hint = "Is the echo read before stdin ends, and is it written out at "
             "once even to a pipe?",
     .play = shows_each_echo_before_the_next_line, .needs = "echoes_a_line"},
    {.name = "talks_to_a_terminal", .obligation = OBLIGATION_echo, .points = 0.5,
     .why = "On a terminal a read of stdin gives one line, and the next one "
            "is typed only when the echo of it is seen: termios(3).",
     .hint = "Do not wait until a buffer is full.",
     .play = talks_to_a_terminal, .needs = "echoes_a_line"},
    {.name = "shows_pieces_as_they_come", .obligation = OBLIGATION_echo,
     .points = 0.5,
     .why = "TCP is a stream without marks: the answer to one write may come "
            "in many pieces, with any time between them: tcp(7).",
     .hint = "How many reads does one write need?",
     .play = shows_pieces_as_they_come, .needs = "echoes_a_line"},
    {.name = "exits_with_0_when_all_came_back",
     .obligation = OBLIGATION_shutdown, .points = 0.25,
     .why = "The server closes when the client has no more to say, and it "
            "learns that from a FIN: shutdown(2).",
     .hint = "After the end of stdin, who waits for whom?",
     .play = exits_with_0_when_all_came_back, .needs = "echoes_a_line"},
    {.name = "needs_no_server_once_all_came_back",
     .obligation = OBLIGATION_shutdown, .points = 0.25,
     .why = "A server may leave when it has sent everything back; shutdown(2) "
            "fails then with ENOTCONN, and nothing is lost.",
     .hint = "What was the connection still needed for?",
     .faults = "shutdown#1=hold",
     .play = needs_no_server_once_all_came_back,
     .needs = "exits_with_0_when_all_came_back"},
    {.name = "waits_for_the_rest_of_the_echo",
     .obligation = OBLIGATION_shutdown, .points = 0.5,
     .why = "At the end of stdin a part of the echo is still under way, and "
            "close(2) would throw it away: shutdown(2) ends one direction "
            "only.",
     .hint = "How does the program know that everything has come back?",
     .play = waits_for_the_rest_of_the_echo, .needs = "echoes_a_line"},
    {.name = "passes_bytes_of_any_value", .obligation = OBLIGATION_echo,
     .points = 0.5,
     .why = "A stream carries bytes, not strings: a zero byte is one of "
            "them, and no newline need ever come: read(2).",
     .hint = "read(2) says how many bytes there are; strlen(3) does not know.",
     .play = passes_bytes_of_any_value, .needs = "echoes_a_line"},
    {.name = "keeps_a_last_line_without_newline",
     .obligation = OBLIGATION_echo, .points = 0.5,
     .why = "Input may end anywhere, and not a byte is to be lost or added: "
            "read(2), RETURN VALUE.",
     .hint = "What does the program send for the input `one\\ntwo`?",
     .play = keeps_a_last_line_without_newline, .needs = "echoes_a_line"},
    {.name = "short_reads_cost_nothing", .obligation = OBLIGATION_partial,
     .points = 0.25,
     .why = "read(2) on a socket gives what has come so far, be it one byte "
            "of a line.",
     .hint = "Few bytes are no end: when is the program ready for more?",
     .faults = "read@conn1#1..5=short:1,read@conn1#6..9=short:half",
     .play = costs_nothing, .needs = "echoes_a_line"},
    {.name = "short_writes_cost_nothing", .obligation = OBLIGATION_partial,
     .points = 0.25,
     .why = "write(2) on a socket may take less than it was given, and the "
            "rest is still to be sent.",
     .hint = "Go on behind what was taken until nothing is left.",
     .faults = "write@conn1#1..5=short:1,write@conn1#6..9=short:half",
     .play = costs_nothing, .needs = "echoes_a_line"},
    {.name = "interrupted_calls_cost_nothing",
     .obligation = OBLIGATION_interrupt, .points = 0.25,
     .why = "A call that a signal ended (EINTR), or that was not ready after "
            "all (EAGAIN), has done nothing, and nothing is wrong: signal(7), "
            "select(2), BUGS.",
     .hint = "Call again, or wait again.",
     .faults = "poll#1=EINTR,read@conn1#1=EINTR,read@conn1#1=EAGAIN,"
               "write@conn1#1=EINTR,write@conn1#1=EAGAIN",
     .play = costs_nothing, .needs = "echoes_a_line"},
    {.name = "never_deadlocks_on_a_long_input",
     .obligation = OBLIGATION_concurrency, .points = 0.5,
     .why = "Each direction of a connection holds so much and no more: when "
            "both are full and both ends write, both wait for ever: send(2), "
            "tcp(7).",
     .hint = "Who reads the echo while the program sends?",
     .play = never_deadlocks_on_a_long_input, .needs = "echoes_a_line"},
    {.name = "waits_for_a_slow_reader_of_stdout",
     .obligation = OBLIGATION_concurrency, .points = 0.5,
     .why = "A pipe holds 64 KiB and then makes its writer wait: pipe(7).",
     .hint = "What happens to the echo when stdout takes no more for now?",
     .play = waits_for_a_slow_reader_of_stdout, .needs = "echoes_a_line"},
    {.name = "waits_without_spinning", .obligation = OBLIGATION_idle,
     .points = 0.5,
     .why = "While nothing comes from either side there is nothing to do; a "
            "loop that looks again and again burns the processor: poll(2).",
     .hint = "Wait in a call that ends when something can be done, and ask it "
             "only for what is wanted now.",
     .play = waits_without_spinning, .needs = "echoes_a_line"},
    {.name = "ends_on_empty_input", .obligation = OBLIGATION_shutdown,
     .points = 0.5,
     .why = "Nothing is an input as well, and stdin need not be a terminal "
            "or a pipe: epoll_ctl(2) refuses a plain file (EPERM).",
     .hint = "Try `build/client localhost 4000 </dev/null`.",
     .play = ends_on_empty_input, .needs = "connects"},
    {.name = "fails_when_the_echo_is_cut_off",
     .obligation = OBLIGATION_shutdown, .points = 0.5,
     .why = "A script that calls the program sees only its exit status: 0 "
            "says that every byte has come back: exit(3).",
     .hint = "Is the end of the connection the end of the echo?",
     .play = fails_when_the_echo_is_cut_off, .needs = "echoes_a_line"},
    {.name = "notices_the_end_while_stdin_is_open",
     .obligation = OBLIGATION_shutdown, .points = 0.5,
     .why = "The server may leave while the user thinks; who only listens to "
            "the keyboard learns it a line too late: poll(2).",
     .hint = "The program waits for two things: which one does it watch?",
     .play = notices_the_end_while_stdin_is_open, .needs = "echoes_a_line"},
    {.name = "notices_a_reset", .obligation = OBLIGATION_reset, .points = 0.25,
     .why = "An end that no longer knows the connection answers with RST, and "
            "read(2) fails with ECONNRESET: the echo that is due never comes.",
     .hint = "What does the program do when read(2) answers -1?",
     .play = notices_a_reset, .needs = "echoes_a_line"},
    {.name = "gives_up_on_a_dead_connection", .obligation = OBLIGATION_reset,
     .points = 0.25,
     .why = "When the other end is cut off TCP tries for some time, then "
            "read(2) fails with ETIMEDOUT: tcp(7), ERRORS.",
     .hint = "Which failures of read(2) pass, and which are for good?",
     .faults = "read@conn1#1=ETIMEDOUT",
     .play = gives_up_on_a_dead_connection, .needs = "echoes_a_line"},
    {.name = "survives_a_server_that_vanishes",
     .obligation = OBLIGATION_sigpipe, .points = 0.5,
     .why = "What is written to a connection that the other end has left is "
            "answered with RST, and the next write raises SIGPIPE, which by "
            "default kills without a word: signal(7), send(2).",
     .hint = "SIGPIPE can be ignored, or not raised at all: then the write "
             "fails with EPIPE.",
     .faults = "write@conn1#1=hold,read@conn1#1=hold",
     .play = survives_a_server_that_vanishes, .needs = "echoes_a_line"},
    {.name = "tells_its_usage", .obligation = OBLIGATION_startup,
     .points = 0.5,
     .why = "A wrong call is answered by one line that shows the right one, "
            "and by the status 2, which no other failure has: exit(3).",
     .hint = "Look at argc before you look at argv.",
     .play = tells_its_usage, .needs = "connects"},
    {.name = "refuses_an_unknown_host", .obligation = OBLIGATION_startup,
     .points = 0.5,
     .why = "getaddrinfo(3) returns its errors, and leaves no list then.",
     .hint = "Its result is for gai_strerror(3).",
     .play = refuses_an_unknown_host, .needs = "connects"},
    {.name = "refuses_an_unknown_port", .obligation = OBLIGATION_startup,
     .points = 0.5,
     .why = "A port that is no number is a service's name, and it may be "
            "unknown: services(5), getaddrinfo(3).",
     .hint = "atoi(3) cannot say no.",
     .play = refuses_an_unknown_port, .needs = "connects"},
    {.name = "says_why_it_cannot_connect", .obligation = OBLIGATION_startup,
     .points = 0.25,
     .why = "Who reads the message wants to know what failed and why, a "
            "script sees the status 1: strerror(3), exit(3).",
     .hint = "errno still knows it, if no other call came between.",
     .play = says_why_it_cannot_connect, .needs = "connects"},
    {.name = "tries_every_address_in_order", .obligation = OBLIGATION_startup,
     .points = 0.5,
     .why = "A host may have several addresses, best ones first; one of a "
            "family that this machine lacks, that refuses, or to which there "
            "is no way, is no reason to give up: getaddrinfo(3).",
     .hint = "ai_next leads on when socket(2) or connect(2) has failed. Which "
             "address families does the program ask for?",
     .faults = "socket#1=EAFNOSUPPORT",
     .play = tries_every_address_in_order, .needs = "connects"},
    {.name = "connects_by_ipv6", .obligation = OBLIGATION_startup,
     .points = 0.5,
     .why = "A server may have an IPv6 address only: ipv6(7).",
     .hint = "Take the family from the address that you were given.",
     .play = connects_by_ipv6, .needs = "connects"},
    {.name = "survives_a_host_that_refuses", .obligation = OBLIGATION_memory,
     .points = 0.5,
     .why = "The way out of a failure frees what was allotted, once: "
            "freeaddrinfo(3), free(3).",
     .hint = "Follow the list of addresses when none of them connects.",
     .play = survives_a_host_that_refuses, .needs = "connects"},
    SWEPT_TRANSPARENT(0.5, "echoes_a_line"),
    SWEPT_CONNECTION(0.5, "echoes_a_line"),
    SWEPT_STARTUP(0.5, "connects"),
    WATCHED_MEMORY(WATCHED_CLIENT_FAULTS, watched_client,
        "echoes_a_line"),
    WATCHED_LEAK(WATCHED_CLIENT_FAULTS, watched_client,
        "echoes_a_line"),
};
/* clang-format on */

static const struct step step_client = {
    .name = "client",
    .source = "client.c",
    .points = 15,
    .intent = "what you type goes to an echo server, and comes back",
    .is_client = true,
    .cases = cases,
    .count = STEP_COUNT(cases),
    .sweep = {.survives_sigpipe = true}};
STEP(client);
