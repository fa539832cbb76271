/* 6_threaded_end.c - how step 6 ends: the signals, the line, the totals. */
#include "6_threaded.h"

#include <stdio.h>
#include <string.h>

#define LINE "served "

static bool says(struct play *play, const char *line)
{
    const char *at = play_output(play);
    size_t len = strlen(line);

    for (const char *end; (end = strchr(at, '\n')); at = end + 1)
        if ((size_t)(end - at) == len && memcmp(at, line, len) == 0)
            return true;
    return false;
}

static bool ends_connection(const struct trace_record *record, const void *arg)
{
    const struct peer *client = arg;

    return record->conn == client->number &&
           (call_family(record->call) == FAMILY_CLOSE ||
            call_family(record->call) == FAMILY_SHUTDOWN);
}

/* A program may end the connections that are left before it counts. */
static unsigned ended_by_program(struct play *play, struct peer *const *open,
                                 unsigned count)
{
    struct trace_record record;
    unsigned ended = 0;

    for (unsigned i = 0; i < count; i++)
        ended += trace_find_last(play_trace(play), ends_connection, open[i],
                                 &record);
    return ended;
}

/* After its end the program has said once: so many connections that had
 * ended (of those still open, the ones that it ended itself may count), and
 * so many bytes. */
static void expect_totals(struct play *play, unsigned ended,
                          struct peer *const *open, unsigned count,
                          unsigned long long bytes)
{
    unsigned most = ended + ended_by_program(play, open, count);
    char line[80];

    for (unsigned c = most; c >= ended; c--) {
        snprintf(line, sizeof(line), LINE "%u connections, %llu bytes", c,
                 bytes);
        if (c == ended || says(play, line))
            break;
    }
    if (!*play_output(play))
        play_explain(play, NULL,
                     "stdout is a pipe here: which of exit(3) and _exit(2) "
                     "writes out what printf(3) keeps?");
    expect_line(play, LINE, 1, line);
    expect_line_count(play, LINE, 1);
    play_explain(play, NULL, NULL);
}

/* Whatever else the play is about. */
static void expect_end(struct play *play)
{
    play_explain(play, NULL,
                 "What does the thread that ends the program wait for?");
    expect_exit(play, 0);
    play_explain(play, NULL, NULL);
}

/* It speaks when the server waits for the next one again: the story of each
 * run is told in the same order. */
static struct peer *talks(struct play *play, unsigned bytes)
{
    struct peer *client = play_client(play);

    play_rest(play);
    play_send_pattern(play, client, bytes);
    expect_echo(play, client);
    return client;
}

static void leaves(struct play *play, struct peer *client)
{
    play_half_close(play, client);
    expect_eof(play, client);
}

/* A client came for whom there was no thread. What became of the two is told
 * elsewhere. */
static void ends_without_a_thread(struct play *play)
{
    play_serve_again(play);
    play_rest(play);
    play_fault(play, "pthread_create#1=EAGAIN");
    play_client(play);
    play_rest(play);
    if (play_processes(play) == 0)
        return;
    play_signal(play, SIGTERM);
    play_explain(play, NULL,
                 "What was changed for the thread that could not be made, and "
                 "is it set back then, too?");
    expect_exit(play, 0);
}

/* Does either signal end it, with the line and status 0? And when there was no
 * thread for a client before? */
void threaded_ends(struct play *play)
{
    play_serve(play);
    for (unsigned i = 1; i <= 3; i++)
        leaves(play, talks(play, 1000 * i));
    play_rest(play);
    play_signal(play, SIGINT);
    expect_exit(play, 0);
    expect_totals(play, 3, NULL, 0, 6000);
    play_serve_again(play);
    play_rest(play);
    play_signal(play, SIGTERM);
    expect_exit(play, 0);
    expect_totals(play, 0, NULL, 0, 0);
    ends_without_a_thread(play);
}

/* Are the totals right while clients are still there, and does it go without
 * waiting for them? */
void threaded_counts_ended(struct play *play)
{
    struct peer *open[3];

    play_serve(play);
    open[0] = play_client(play); /* says nothing */
    play_rest(play);
    open[1] = talks(play, 7);
    leaves(play, talks(play, 4096));
    leaves(play, play_client(play)); /* a connection without a byte */
    open[2] = talks(play, 100);
    leaves(play, talks(play, 1));
    play_rest(play);
    play_signal(play, SIGTERM);
    expect_end(play);
    expect_totals(play, 3, open, 3, 7 + 4096 + 100 + 1);
}

/* The bytes of a write that is under way may count or not. */
static void expect_any_bytes(struct play *play, struct peer *client)
{
    const char *text = play_output(play), *at = strstr(text, LINE);
    unsigned connections = 0;
    unsigned long long bytes = 0;

    while (at && at > text && at[-1] != '\n')
        at = strstr(at + 1, LINE);
    if (at)
        sscanf(at, LINE "%u connections, %llu bytes", &connections, &bytes);
    if (bytes > client->queued)
        play_fail(play, "the bytes that were written back are counted",
                  "it counts %llu of %llu", bytes,
                  (unsigned long long)client->queued);
    expect_totals(play, 0, &client, 1, bytes);
}

/* Does it end at once in the midst of an echo, and while a thread is stuck
 * in a write? It is at rest in accept before the echo begins. */
void threaded_ends_while_busy(struct play *play)
{
    play_serve(play);
    struct peer *busy = play_client(play);
    play_rest(play);
    play_send_pattern(play, busy, 8 * MIB);
    expect_bytes(play, busy, 64 * KIB);
    play_signal(play, SIGINT);
    expect_exit(play, 0);
    expect_any_bytes(play, busy);
    play_serve_again(play);
    struct peer *stuck = play_client_small(play, 4 * KIB);
    play_pause(play, stuck);
    play_send_pattern(play, stuck, 16 * MIB);
    play_rest(play);
    play_signal(play, SIGTERM);
    expect_exit(play, 0);
    expect_any_bytes(play, stuck);
}

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

static const struct trace_thread *held_thread(struct play *play, unsigned gate)
{
    struct trace *trace = play_trace(play);
    uint32_t count = atomic_load(&trace->threads);

    for (uint32_t i = 0; i < count && i < TRACE_THREADS; i++)
        if (atomic_load(&trace->thread[i].held) == (int32_t)gate + 1)
            return &trace->thread[i];
    return NULL;
}

static void expect_blocked(struct play *play, uint64_t mask, int signal,
                           const char *call)
{
    if (!(mask & (UINT64_C(1) << (signal - 1))))
        play_fail(play,
                  "a thread that serves a client blocks SIGINT and SIGTERM",
                  "%s is not blocked in a thread that is about to %s",
                  signal == SIGINT ? "SIGINT" : "SIGTERM", call);
}

/* Whoever is held at the gate serves the client. */
static void check_mask(struct play *play, struct answer *answer,
                       const char *call)
{
    uint64_t mask;

    expect_that(play, held_or_answered, answer, "its bytes come back");
    const struct trace_thread *thread = held_thread(play, answer->gate);
    play_blame_process(play, play_pid(play), answer->client);
    if (thread &&
        census_blocked(thread->pid, atomic_load(&thread->tid), &mask) == 0) {
        expect_blocked(play, mask, SIGINT, call);
        expect_blocked(play, mask, SIGTERM, call);
    }
    play_release(play, answer->gate);
}

/* Does the thread that serves block the signals, from its first read on? The
 * kernel says which signals the thread at the gate blocks. */
void threaded_blocks_signals(struct play *play)
{
    play_serve(play);
    struct answer answer = {0, play_client(play)};
    play_send(play, answer.client, "hello\n");
    check_mask(play, &answer, "read");
    answer.gate = 1;
    check_mask(play, &answer, "write");
    expect_echo(play, answer.client);
    leaves(play, answer.client);
    play_rest(play);
    play_signal(play, SIGTERM);
    expect_end(play);
    expect_totals(play, 1, NULL, 0, 6);
}

/* The second line of a client is read, and its writes go as planned. Returns
 * the number of the plan's first failure. */
static unsigned loses_a_line(struct play *play, const char *plan)
{
    struct peer *client = play_client(play);

    play_send(play, client, "hello\n");
    expect_echo(play, client);
    play_rest(play);
    unsigned broken = play_fault(play, plan);
    play_send(play, client, "lost\n");
    play_rest(play);
    play_close(play, client);
    play_rest(play);
    return broken;
}

static void ends_with_totals(struct play *play, unsigned connections,
                             unsigned long long bytes)
{
    play_rest(play);
    play_signal(play, SIGTERM);
    expect_end(play);
    expect_totals(play, connections, NULL, 0, bytes);
}

/* What comes back of a line whose one write fails so, and of the one before. */
static unsigned bytes_of_a_break(struct play *play, const char *plan)
{
    return play_fired(play, loses_a_line(play, plan)) ? 6 : 11;
}

/* Are those bytes counted that were written back, and no others, and the
 * connections that broke, in whichever way? In the second run a part of the
 * line goes out. */
void threaded_counts_written(struct play *play)
{
    play_serve(play);
    unsigned bytes = bytes_of_a_break(play, "write@conn1#1=ECONNRESET") +
                     bytes_of_a_break(play, "write@conn2#1=EPIPE");
    struct peer *resets = talks(play, 10);
    play_rest(play);
    play_reset(play, resets);
    ends_with_totals(play, 3, bytes + 10);

    play_serve_again(play);
    unsigned part =
        loses_a_line(play, "write@conn4#1=short:2,write@conn4#2=ECONNRESET");
    if (play_fired(play, part + 1)) /* who writes a byte at a time: "l" */
        ends_with_totals(play, 1, play_fired(play, part) ? 8 : 7);
}
