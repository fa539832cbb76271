/* 5_sigpipe_client.c - clients that vanish, and what the kernel then answered
 * the server: the trace shows it.
 */
#include "5_sigpipe.h"

#include <errno.h>
#include <stdio.h>

/* ---- What the kernel answered ---- */

static bool is_transfer(const struct trace_record *record, const void *conn)
{
    enum call_family family = call_family(record->call);

    return record->conn == *(const int *)conn &&
           (family == FAMILY_READ || family == FAMILY_WRITE);
}

static bool is_failure(const struct trace_record *record, const void *conn)
{
    return is_transfer(record, conn) && record->returned != 0 &&
           record->result < 0 && record->error != EINTR &&
           record->error != EAGAIN;
}

/* At rest, with the connection gone, a call on it that never returned is one
 * that SIGPIPE ended: its handler jumped away, or the process died. */
static bool is_left(const struct trace_record *record, const void *conn)
{
    return is_transfer(record, conn) && record->returned == 0;
}

bool connection_broke(struct play *play, const struct peer *peer)
{
    struct trace_record found;

    return trace_find_last(play_trace(play), is_failure, &peer->number,
                           &found) ||
           trace_find_last(play_trace(play), is_left, &peer->number, &found);
}

static bool is_exit(const struct trace_record *record, const void *pid)
{
    return record->pid == *(const pid_t *)pid &&
           call_family(record->call) == FAMILY_EXIT;
}

/* A child that is gone in the middle of a call, without an exit, was killed.
 * Of the first process the kernel itself tells. */
void expect_no_killed_child(struct play *play, const struct peer *peer)
{
    struct trace_record left, end;

    if (!trace_find_last(play_trace(play), is_left, &peer->number, &left) ||
        left.pid == play_pid(play))
        return;
    char state = census_state(left.pid);
    if ((state != 'X' && state != 'Z') ||
        trace_find_last(play_trace(play), is_exit, &left.pid, &end))
        return;
    play_blame_process(play, left.pid, peer);
    play_fail(play, "the child of a broken connection ends by itself",
              "the child that served client %d was killed by a signal in "
              "%s(), as SIGPIPE does",
              peer->number, call_name(left.call));
}

/* ---- Clients that vanish ---- */

/* Two letters come back one by one: each was a write of its own. */
struct peer *served_client(struct play *play)
{
    struct peer *peer = play_client(play);

    play_send(play, peer, "a");
    expect_echo(play, peer);
    return peer;
}

struct peer *client_resets(struct play *play)
{
    struct peer *peer = served_client(play);

    play_rest(play);
    play_reset(play, peer);
    return peer;
}

/* Counted from now on. */
static unsigned gate_at_write(struct play *play, const struct peer *peer, int n)
{
    char plan[64];

    snprintf(plan, sizeof(plan), "write@conn%d#%d=hold", peer->number, n);
    return play_fault(play, plan);
}

/* Leaves while the server's next write waits at a gate; that write brings
 * the reset, and the one behind it, at another gate, meets it. `first` is
 * what the held write has in hand, `second` may follow. */
static struct peer *leaves_in_a_write(struct play *play, const char *first,
                                      const char *second)
{
    struct peer *peer = served_client(play);
    unsigned before = gate_at_write(play, peer, 1);
    unsigned behind = gate_at_write(play, peer, 2);

    play_send(play, peer, first);
    play_held(play, before, 1);
    if (*second)
        play_send(play, peer, second);
    play_close(play, peer);
    play_release(play, before);
    play_rest(play);
    play_reset_arrives(play, peer);
    play_release(play, behind);
    return peer;
}

struct peer *client_fin_then_rst(struct play *play)
{
    return leaves_in_a_write(play, "b", "c");
}

/* The buffers on the way are full, so the server is in a write. */
struct peer *client_resets_a_blocked_write(struct play *play)
{
    struct peer *peer = play_client_small(play, 4 * KIB);

    play_pause(play, peer);
    play_send_pattern(play, peer, SERVER_STALL);
    play_rest(play);
    play_reset(play, peer);
    return peer;
}

/* The first part of a piece is written by the row's plan, the rest fails. */
struct peer *client_leaves_behind_a_short_write(struct play *play)
{
    return leaves_in_a_write(play, "bcd", "");
}
