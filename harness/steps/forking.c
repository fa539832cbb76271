/* forking.c - plays for servers with a process for each connection.
 *
 * Both steps play them, so none lets a child end while another one lives
 * unless that is its question: a wrong reaper shall fail for its own rule.
 */
#include "forking.h"
#include "server.h"

#include <stdio.h>
#include <sys/syscall.h>

#define PROCESSES 64

unsigned forking_serve(struct play *play)
{
    play_serve(play);
    play_rest(play);
    return play_processes(play);
}

struct peer *forking_client(struct play *play)
{
    struct peer *client = play_client(play);

    play_send(play, client, "hello\n");
    expect_echo(play, client);
    play_settle_soon(play);
    return client;
}

void forking_leave(struct play *play, struct peer *client)
{
    play_half_close(play, client);
    expect_eof(play, client);
    play_rest(play);
}

void forking_expect_processes(struct play *play, unsigned count)
{
    play_rest(play);
    expect_alive(play);
    expect_processes(play, count);
}

void forking_kill_child_of(struct play *play, const struct peer *client)
{
    pid_t pids[PROCESSES];
    size_t count = play_children(play, pids, PROCESSES);

    for (size_t i = 0; i < count; i++) {
        if (!play_holds(play, pids[i], client))
            continue;
        play_tell(play, "the child of client %d is killed", client->number);
        kill(pids[i], SIGKILL);
        return;
    }
    play_fail(play, "a child process serves the connection",
              "no child holds the socket of client %d", client->number);
}

/* ---- What it waits in ---- */

/* signal(7): some calls fail with EINTR after SIGCONT even where there is no
 * handler, so that a right server might be told what it need not expect. It
 * is stopped in those only that are continued. */
static bool is_continued(const struct census_thread *thread)
{
    static const long calls[] = {
        SYS_accept,        SYS_accept4, SYS_ppoll,           SYS_pselect6,
        SYS_rt_sigsuspend, SYS_futex,   SYS_wait4,           SYS_waitid,
        SYS_nanosleep,     SYS_read,    SYS_clock_nanosleep,
#ifdef SYS_poll
        SYS_poll,          SYS_select,  SYS_pause,
#endif
    };

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (thread->syscall == calls[i])
            return true;
    return false;
}

bool forking_can_be_stopped(struct play *play)
{
    struct census_thread threads[16];
    size_t count = census_threads(play_pid(play), threads, 16);
    bool can = count < 16 && atomic_load(&play_trace(play)->timed_sockets) == 0;

    for (size_t i = 0; i < count; i++)
        can = can && is_continued(&threads[i]);
    return can;
}

/* ---- Start and echo ---- */

/* Does it listen, for those too who do not come by 127.0.0.1? */
void forking_listens(struct play *play)
{
    play_serve(play);
    play_client(play);
    play_client_at(play, "127.0.0.2");
    expect_alive(play);
}

/* Does what a client sent come back before it says more, and is that all? */
void forking_echoes_a_line(struct play *play)
{
    play_serve(play);
    struct peer *client = forking_client(play);
    play_send(play, client, "how are you?\n");
    expect_echo(play, client);
}

/* Does it go on where a call took less than it was given? */
void forking_short_calls(struct play *play)
{
    play_serve(play);
    struct peer *client = play_client(play);
    play_send_pattern(play, client, 16 * KIB);
    expect_echo(play, client);
}

/* ---- Many at once ---- */

/* One says nothing, one does not read what it is sent: is a third served, and
 * do both get what is theirs when they are ready? */
void forking_silent_and_slow(struct play *play)
{
    play_serve(play);
    struct peer *silent = play_client(play);
    struct peer *slow = play_client_small(play, 4 * KIB);
    play_pause(play, slow);
    play_send_pattern(play, slow, 256 * KIB);
    play_settle(play); /* in each run their children are as far as they get */
    expect_serves(play);
    play_send(play, silent, "at last\n");
    expect_echo(play, silent);
    play_resume(play, slow);
    expect_echo(play, slow);
}

/* ---- Descriptors ---- */

/* At rest, has the server let go of what its children serve? The second
 * client may still be waiting: that is another rule. */
void forking_parent_keeps_none(struct play *play)
{
    struct peer *client[2];

    play_serve(play);
    client[0] = forking_client(play);
    client[1] = play_client(play);
    play_rest(play);
    for (int i = 0; i < 2; i++) {
        if (!play_holds(play, play_pid(play), client[i]))
            continue;
        play_blame_process(play, play_pid(play), client[i]);
        play_fail(play,
                  "the server does not keep the descriptor of a connection "
                  "that a child serves",
                  "at rest, process 1 still holds the socket of client %d",
                  client[i]->number);
    }
}

/* Has a child more than the one connection it serves? */
static void expect_own_sockets(struct play *play, pid_t pid,
                               struct peer *const client[2])
{
    bool first = play_holds(play, pid, client[0]);
    bool second = play_holds(play, pid, client[1]);

    if ((first || second) && play_holds(play, pid, NULL))
        play_fail(play, "a child does not keep the listening socket",
                  "the child of client %d still holds it at rest",
                  client[first ? 0 : 1]->number);
    if (!first || !second)
        return;
    play_explain(play,
                 "fork(2) copies every descriptor that the parent has then.",
                 "Where did this child get the other client's socket from?");
    play_fail(play, "a child holds no connection but its own",
              "one child holds the sockets of clients %d and %d",
              client[0]->number, client[1]->number);
}

/* And the children: does each hold its connection, and nothing else? */
void forking_child_keeps_its_own(struct play *play)
{
    struct peer *client[2];
    pid_t pids[PROCESSES];

    play_serve(play);
    client[0] = forking_client(play);
    client[1] = play_client(play);
    play_rest(play);
    size_t count = play_children(play, pids, PROCESSES);
    for (size_t i = 0; i < count; i++)
        expect_own_sockets(play, pids[i], client);
}

/* ---- Failures ---- */

/* Four clients; one resets, one is lost while its child reads, one while it
 * writes. What is left is the first client and its child. */
void forking_reset(struct play *play)
{
    unsigned alone = forking_serve(play);
    struct peer *client = forking_client(play);
    struct peer *resets = forking_client(play);

    play_reset(play, resets);
    play_rest(play);
    for (int i = 3; i <= 4; i++)
        server_loses_a_client(play);
    play_send(play, client, "still there?\n");
    expect_echo(play, client);
    forking_expect_processes(play, alone + 1);
    server_loses_a_client_before_accept(play);
}

static bool is_lost(const struct peer *client)
{
    return client->eof || client->error;
}

/* One fork of the first three fails: one client at the most is lost, the
 * others are served as if nothing had happened. */
void forking_fork_fails(struct play *play)
{
    struct peer *client[3];
    int lost = 0;

    play_serve(play);
    for (int i = 0; i < 3; i++) {
        client[i] = play_client(play);
        play_send(play, client[i], "hello\n");
        server_expect_answer(play, client[i]);
        play_rest(play);
        expect_alive(play);
        lost += is_lost(client[i]);
    }
    if (lost > 1)
        play_fail(play, "a fork that fails costs one client",
                  "%d of 3 clients lost their connection", lost);
    for (int i = 0; i < 3; i++) {
        if (is_lost(client[i]))
            continue;
        play_send(play, client[i], "still there?\n");
        expect_echo(play, client[i]);
    }
    expect_fired(play, "the server forks for each client");
    forking_client(play);
}

/* A connection that went before it was taken, and no memory for one: the
 * first client is served all the same, the second may be lost. */
void forking_accept_fails(struct play *play)
{
    play_serve(play);
    forking_client(play);
    struct peer *client = play_client(play);
    play_send(play, client, "hello\n");
    server_expect_answer(play, client);
    forking_client(play);
}

/* No descriptor for a connection, for a while. */
void forking_no_descriptors(struct play *play)
{
    play_serve(play);
    struct peer *client = forking_client(play);
    struct peer *waiting = play_exhaust_descriptors(play);
    expect_no_spin(play);
    play_send(play, client, "still there?\n");
    expect_echo(play, client);
    play_free_descriptors(play);
    if (waiting)
        server_expect_answer(play, waiting);
    forking_client(play);
}
