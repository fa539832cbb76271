/* act_peer.c - what a play does on the wire: connect, send, leave; and what it
 * plans: failures and gates. */
#define _GNU_SOURCE
#include "play_internal.h"

#include "clock.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The net below play_reset_arrives(). */
#define RESET_NS 5000000000u

/* ---- Peers ---- */

static void note_port(void *arg, uint16_t port)
{
    struct play *play = arg;

    play->port_of_conn[play->clients] = port;
    play->program->trace->conn_of_port[port] = (uint16_t)play->clients;
}

static struct peer *connect_client(struct play *play, const char *addr,
                                   int buffer)
{
    struct peer *peer = play_new_peer(play);

    peer->number = (int)++play->clients;
    play_tell(play, "client %d connects", peer->number);
    if (peer_connect(peer, addr, play->port, buffer, note_port, play) < 0)
        play_not_graded(play, "a client cannot connect");
    return peer;
}

static bool is_connected(struct play *play, void *arg)
{
    const struct peer *peer = arg;

    (void)play;
    return peer->connected || peer->error;
}

static struct peer *client(struct play *play, const char *addr, int buffer)
{
    struct peer *peer = connect_client(play, addr, buffer);

    char end[96], where[96];

    play_must(play, is_connected, peer, "a client can connect");
    play_blame_for(play, BLAME_LISTENER);
    errno = peer->error;
    if (errno == ENETUNREACH || errno == ENETDOWN) /* not the server's answer */
        play_not_graded(play, "a client cannot connect; is this machine's "
                              "loopback up?");
    if (!peer->connected) {
        play_settle(play); /* who closes its socket may be about to end */
        play_fail(play, "a client can connect", "connect() to port %u: %s%s%s",
                  play->port, strerror(peer->error),
                  play_describe_end(play, end, sizeof(end)),
                  play_describe_listener(play, addr, where, sizeof(where)));
    }
    play_blame_for(play, BLAME_BY_ITSELF);
    return peer;
}

struct peer *play_client(struct play *play)
{
    return client(play, "127.0.0.1", 0);
}

struct peer *play_client_at(struct play *play, const char *addr)
{
    return client(play, addr, 0);
}

struct peer *play_client_ipv6(struct play *play)
{
    return client(play, "::1", 0);
}

struct peer *play_client_small(struct play *play, int receive_buffer_bytes)
{
    return client(play, "127.0.0.1", receive_buffer_bytes);
}

struct peer *play_client_later(struct play *play)
{
    return connect_client(play, "127.0.0.1", 0);
}

static const char *who(const struct peer *peer, char *text, size_t size)
{
    if (peer->kind == PEER_USER)
        snprintf(text, size, "the user");
    else
        snprintf(text, size, "%s %d",
                 peer->kind == PEER_SERVER ? "server" : "client", peer->number);
    return text;
}

static void tell(struct play *play, const struct peer *peer, const char *act)
{
    char name[32];

    play_tell(play, "%s %s", who(peer, name, sizeof(name)), act);
}

static void send_told(struct play *play, struct peer *peer, const char *act,
                      const void *bytes, size_t len)
{
    tell(play, peer, act);
    if (peer_queue(peer, bytes, len) < 0)
        play_not_graded(play, "no memory");
    play_pump(play);
}

void play_send_bytes(struct play *play, struct peer *peer, const void *bytes,
                     size_t len)
{
    char act[48];

    snprintf(act, sizeof(act), "sends %zu byte%s", len, len == 1 ? "" : "s");
    send_told(play, peer, act, bytes, len);
}

/* A short line is told as C writes it. */
void play_send(struct play *play, struct peer *peer, const char *text)
{
    const size_t len = strlen(text), line = strcspn(text, "\n");
    char act[48];

    if (len > 20 || len > line + 1) {
        play_send_bytes(play, peer, text, len);
        return;
    }
    snprintf(act, sizeof(act), "sends \"%.*s%s\"", (int)line, text,
             len > line ? "\\n" : "");
    send_told(play, peer, act, text, len);
}

void play_send_pattern(struct play *play, struct peer *peer, uint64_t len)
{
    char act[48];

    snprintf(act, sizeof(act), "sends %llu byte%s", (unsigned long long)len,
             len == 1 ? "" : "s");
    tell(play, peer, act);
    assert_int_equal(peer_queue_pattern(peer, len), 0);
    play_pump(play);
}

void play_half_close(struct play *play, struct peer *peer)
{
    tell(play, peer,
         peer->kind == PEER_USER ? "ends stdin"
                                 : "half-closes when all is sent");
    peer->half_close = true;
    play_pump(play);
}

void play_pause(struct play *play, struct peer *peer)
{
    tell(play, peer, "reads no more");
    peer->reading = false;
}

void play_resume(struct play *play, struct peer *peer)
{
    tell(play, peer, "reads again");
    peer->reading = true;
    play_pump(play);
}

void play_widen_output(struct peer *user)
{
    fcntl(user->in, F_SETPIPE_SZ, 1 << 20);
}

void play_close(struct play *play, struct peer *peer)
{
    tell(play, peer, "closes");
    peer_close(peer);
}

/* The machine's work, not the program's: its rest proves nothing here. */
void play_reset_arrives(struct play *play, struct peer *peer)
{
    struct trace *trace = play->program->trace;
    uint64_t begun_ns = clock_ns();

    while (wire_connected(peer) == 1 && clock_ns() - begun_ns < RESET_NS)
        trace_wait(trace, atomic_load(&trace->seq), 200);
}

void play_reset(struct play *play, struct peer *peer)
{
    tell(play, peer, "resets the connection");
    peer_reset(peer);
    play_reset_arrives(play, peer);
}

void play_no_room(struct play *play, const struct peer *peer)
{
    struct trace *trace = play->program->trace;
    struct wire_arrivals before, now = wire_arrivals(peer);

    do {
        before = now;
        trace_wait(trace, atomic_load(&trace->seq), 1000);
        now = wire_arrivals(peer);
    } while (wire_has_more_for(peer) &&
             (now.segments == before.segments || now.bytes != before.bytes));
    play_settle(play);
}

/* ---- Failures and gates ---- */

void play_plan(struct play *play, const struct fault *faults, unsigned count)
{
    struct trace *trace = play->program->trace;
    size_t bytes = count * sizeof(*faults);

    memcpy(&play->fault[play->faults], faults, bytes);
    memcpy(&trace->fault[play->faults], faults, bytes);
    play->faults += count;
    trace->fault_count = play->faults;
}

void play_kernel_buffers(struct play *play, unsigned send, unsigned receive)
{
    atomic_store(&play->program->trace->send_buffer, send);
    atomic_store(&play->program->trace->receive_buffer, receive);
}

void play_let_time_fly(struct play *play, unsigned pauses_ms, unsigned waits_ms)
{
    struct trace *trace = play->program->trace;

    atomic_store(&trace->pauses_fly_ms, pauses_ms);
    atomic_store(&trace->waits_fly_ms, waits_ms);
}

void play_forget_plan(struct play *play)
{
    play->faults = 0;
    play->program->trace->fault_count = 0;
}

/* A later client may have had the same port again. */
static bool is_numbered(const struct play *play, unsigned conn)
{
    uint16_t port = play->port_of_conn[conn];
    unsigned now = play->program->trace->conn_of_port[port];

    return port == 0 || (now >= conn && now <= play->clients &&
                         play->port_of_conn[now] == port);
}

static bool is_as_planned(const struct play *play)
{
    const struct trace *trace = play->program->trace;

    if (trace->fault_count != play->faults)
        return false;
    for (unsigned i = 0; i < play->faults; i++)
        if (memcmp(&trace->fault[i], &play->fault[i],
                   offsetof(struct fault, seen)) != 0)
            return false;
    for (unsigned conn = 1; conn <= play->clients; conn++)
        if (!is_numbered(play, conn))
            return false;
    return true;
}

/* Each byte that came was read before by a call that has returned. */
static bool went_around(const struct play *play)
{
    uint64_t received = 0;

    for (size_t i = 0; i < play->peers; i++)
        if (play->peer[i]->kind == PEER_CLIENT)
            received += play->peer[i]->received;
    return received > atomic_load(&play->program->trace->moved);
}

void play_check_plan(struct play *play)
{
    play->went_around = went_around(play);
    if (play->went_around)
        play_fail(play, "each call of the program goes through libc",
                  "clients got bytes that no call of it has read");
    if (!is_as_planned(play))
        play_fail(play, "the program leaves the kit's memory alone",
                  "it has written into the plan of failures, so that "
                  "nothing it does can be judged");
}

unsigned play_fault(struct play *play, const char *plan)
{
    struct fault faults[FAULT_MAX];
    const char *error = "";
    int count = fault_parse_plan(faults, plan, &error);
    unsigned first = play->faults;

    if (count < 0 || first + (unsigned)count > FAULT_MAX)
        fail_msg("fault plan %s: %s", plan, error);
    play_plan(play, faults, (unsigned)count);
    play_tell(play, "planned: %s", plan);
    return first;
}

void play_fault_ends(struct play *play, unsigned fault)
{
    play_tell(play, "the planned failure is over");
    play->fault[fault].last = 0;
    play->program->trace->fault[fault].last = 0;
}

struct gate {
    unsigned fault, callers;
};

static bool is_held(struct play *play, void *arg)
{
    const struct gate *gate = arg;

    return atomic_load(&play->program->trace->fault[gate->fault].held) >=
           gate->callers;
}

bool play_is_held(struct play *play, unsigned fault)
{
    return is_held(play, &(struct gate){fault, 1});
}

void play_held(struct play *play, unsigned fault, unsigned callers)
{
    struct gate gate = {fault, callers};
    const struct fault *planned = &play->program->trace->fault[fault];
    char text[96], where[32] = "", expected[192];

    fault_format(planned, text, sizeof(text));
    *strchrnul(text, '=') = '\0';
    if (planned->conn > 0)
        snprintf(where, sizeof(where), " on connection %d", planned->conn);
    snprintf(expected, sizeof(expected), "the program calls %.*s()%s (%s)",
             (int)strcspn(text, "@#"), text, where, text);
    play->blame_conn = planned->conn > 0 ? planned->conn : play->blame_conn;
    play_must(play, is_held, &gate, expected);
}

void play_release(struct play *play, unsigned fault)
{
    trace_open_gate(play->program->trace, fault);
}

bool play_fired(struct play *play, unsigned fault)
{
    return atomic_load(&play->program->trace->fault[fault].fired) > 0;
}

bool play_fired_for(struct play *play, const struct peer *peer)
{
    struct trace *trace = play->program->trace;

    for (unsigned i = 0; i < trace_faults(trace); i++)
        if (trace->fault[i].conn == peer->number && play_fired(play, i))
            return true;
    return false;
}

void expect_fired(struct play *play, const char *what)
{
    char text[96];

    for (unsigned i = 0; i < play->faults; i++)
        if (!play_fired(play, i))
            play_fail(play, what,
                      "%s did not come about: it made no such call, or none "
                      "that could fail so there",
                      fault_format(&play->fault[i], text, sizeof(text)));
}
