/* 7_select_load.c - many connections at once, clients that do not read, and
 * what they may cost: time, memory, descriptors. */
#include "7_select.h"

#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>

/* A small receive buffer: little goes out before the server is stuck. Not the
 * smallest: a segment of one byte takes the room of hundreds, and what a full
 * buffer drops is sent again later and later. */
#define SMALL_BUFFER 32768

#define MANY    130
#define GROWING 80 /* more than tables begin with */

/* Enough to have some at FD_SETSIZE and above. */
#define CROWD 15

void select_still_serves(struct play *play, struct peer *client)
{
    play_send(play, client, "still there?\n");
    expect_echo(play, client);
}

struct peer *select_bystander(struct play *play)
{
    struct peer *client = play_client(play);

    select_still_serves(play, client);
    return client;
}

struct peer *select_stalled_client(struct play *play, uint64_t bytes)
{
    struct peer *client = play_client_small(play, SMALL_BUFFER);

    play_pause(play, client);
    play_send_pattern(play, client, bytes);
    play_settle(play);
    return client;
}

/* The rest of what it offered stays at home. */
static void sends_no_more(struct peer *client)
{
    client->queued = client->sent;
}

void select_reads_at_last(struct play *play, struct peer *client)
{
    sends_no_more(client);
    play_resume(play, client);
    expect_echo(play, client);
}

/* ---- Many at once ---- */

/* Two, then many: are all served at once, with silent ones among them,
 * whatever the order in which they send and leave? */
void select_serves_many_at_once(struct play *play)
{
    struct peer *client[MANY];

    play_serve(play);
    client[0] = select_bystander(play);
    client[1] = select_bystander(play);
    select_still_serves(play, client[0]);
    for (unsigned i = 2; i < MANY; i++) {
        client[i] = play_client(play);
        play_accepted(play, i + 1);
    }
    for (int i = MANY - 1; i >= 0; i -= 2)
        play_send_pattern(play, client[i], server_full_buffer(i / 2));
    for (int i = MANY - 1; i >= 0; i -= 2)
        expect_echo(play, client[i]);
    for (int i = 1; i < MANY; i += 4)
        play_close(play, client[i]);
    for (int i = 0; i < MANY; i += 2)
        select_still_serves(play, client[i]);
    for (int i = 0; i < MANY; i += 2)
        play_half_close(play, client[i]);
    for (int i = 0; i < MANY; i += 2)
        expect_eof(play, client[i]);
}

/* Does it need a process or a thread more for its clients? */
void select_is_one_process_with_one_thread(struct play *play)
{
    struct peer *busy;

    play_serve(play);
    select_bystander(play);
    select_bystander(play);
    expect_processes(play, 1);
    expect_threads(play, 1);
    unsigned gate = play_fault(play, "read@conn3#1=hold");
    busy = play_client(play);
    play_send(play, busy, "hello\n");
    play_held(play, gate, 1);
    expect_processes(play, 1);
    expect_threads(play, 1);
    play_release(play, gate);
    expect_echo(play, busy);
}

/* Is everybody still watched and told apart when others come and go? The
 * newcomer gets the lowest descriptor, the stalled one was the last. */
void select_serves_who_comes_and_who_goes(struct play *play)
{
    struct peer *first, *second, *slow, *fresh;

    play_serve(play);
    first = select_bystander(play);
    second = select_bystander(play);
    slow = select_stalled_client(play, MIB);
    play_close(play, first);
    play_settle(play);
    fresh = select_bystander(play);
    select_still_serves(play, second);
    play_close(play, second);
    play_settle(play);
    select_still_serves(play, fresh);
    play_half_close(play, fresh);
    expect_eof(play, fresh);
    select_reads_at_last(play, slow);
    select_still_serves(play, slow);
}

#define WAITING 4

/* Several clients have come while it was busy: one event for all of them. Is
 * each one taken? */
void select_takes_all_who_wait(struct play *play)
{
    struct peer *busy, *client[WAITING];

    play_serve(play);
    unsigned gate = play_fault(play, "read@conn1#1=hold");
    busy = play_client(play);
    play_send(play, busy, "hello\n");
    play_held(play, gate, 1);
    for (int i = 0; i < WAITING; i++)
        client[i] = play_client_later(play);
    play_settle(play);
    play_release(play, gate);
    expect_echo(play, busy);
    for (int i = 0; i < WAITING; i++)
        select_still_serves(play, client[i]);
}

/* ---- A client that does not read ---- */

/* Are the others served while one is stalled, old ones and new ones? */
void select_serves_others_beside_a_client_that_does_not_read(struct play *play)
{
    struct peer *other;

    play_serve(play);
    other = select_bystander(play);
    select_stalled_client(play, 64 * MIB);
    select_still_serves(play, other);
    expect_serves(play);
}

/* Does it get every byte when it reads at last, and then the end? What waits
 * for it is safe from other clients' bytes, and from what waits for them. */
void select_loses_no_byte_of_a_client_that_reads_late(struct play *play)
{
    struct peer *late, *later, *other;

    play_serve(play);
    late = select_stalled_client(play, 64 * MIB);
    later = select_stalled_client(play, MIB);
    other = select_bystander(play);
    play_send_pattern(play, other, MIB);
    expect_echo(play, other);
    select_reads_at_last(play, late);
    select_reads_at_last(play, later);
    play_half_close(play, late);
    expect_eof(play, late);
}

/* Does it take what it cannot give back? A buffer of a fixed size may be
 * large; one that grows takes all. */
void select_stops_reading_from_a_client_that_does_not_read(struct play *play)
{
    play_serve(play);
    select_bystander(play);
    play_settle(play);
    long before = census_memory_kib(play_pid(play), false);
    select_stalled_client(play, 64 * MIB);
    expect_alive(play);
    long grown = census_memory_kib(play_pid(play), false) - before;
    play_blame(play, BLAME_MEMORY);
    if (grown > 32 * (long)KIB)
        play_fail(play,
                  "the server stops reading from a client that does not read",
                  "64 MiB were offered, and its memory grew by %ld MiB",
                  grown / (long)KIB);
}

/* ---- What is left of connections that ended ---- */

static void come_and_go(struct play *play, unsigned times)
{
    while (times-- > 0) {
        struct peer *client = play_client(play);

        play_send_pattern(play, client, 200);
        expect_echo(play, client);
        play_half_close(play, client);
        expect_eof(play, client);
        play_close(play, client);
    }
}

static long memory_after(struct play *play,
                         void (*come)(struct play *, unsigned), unsigned times)
{
    come(play, times);
    play_settle(play);
    expect_alive(play);
    return census_memory_kib(play_pid(play), false);
}

/* A table that is filled in turns has been touched all over when so many have
 * come once: then it grows no more. */
static void expect_no_growth(struct play *play,
                             void (*come)(struct play *, unsigned),
                             unsigned times, const char *since)
{
    long before_kib = memory_after(play, come, 20), grown_kib = 0;

    for (int stretch = 0; stretch < 2; stretch++) {
        long now_kib = memory_after(play, come, times);

        grown_kib = now_kib - before_kib;
        before_kib = now_kib;
        if (grown_kib <= 600)
            return;
    }
    play_blame(play, BLAME_MEMORY);
    play_fail(play, "a connection that has ended leaves nothing behind",
              "after %s its memory has grown by %ld KiB, once more", since,
              grown_kib);
}

/* Is its memory flat, connection after connection, and is no place in a table
 * of FD_SETSIZE taken for good? */
void select_keeps_nothing_of_connections_that_ended(struct play *play)
{
    play_serve(play);
    expect_no_growth(play, come_and_go, FD_SETSIZE + 20,
                     "a thousand connections");
}

/* ---- Calm ---- */

/* Does it sleep while its clients do? */
void select_does_nothing_while_clients_are_silent(struct play *play)
{
    server_waits_for_a_client(play);
    select_bystander(play);
    play_client(play);
    expect_idle(play);
}

static uint64_t written_to(struct play *play, const struct peer *client)
{
    struct trace *trace = play_trace(play);
    uint32_t newest = trace_newest(trace);
    struct trace_record record;
    uint64_t sum = 0;

    for (uint32_t serial = trace_oldest(newest) + 1; serial <= newest; serial++)
        if (trace_get(trace, serial, &record) &&
            record.conn == client->number && record.result > 0 &&
            call_family(record.call) == FAMILY_WRITE)
            sum += (uint64_t)record.result;
    return sum;
}

/* In pieces, until the last one cannot all be written. */
static void fills(struct play *play, struct peer *client, uint64_t piece)
{
    do {
        play_send_pattern(play, client, piece);
        play_settle(play);
    } while (written_to(play, client) == client->sent);
}

/* A client that sends little by little until some of it cannot be written,
 * and then half-closes: whose buffer has room sees the end. Small pieces are
 * dropped where they come to a full buffer, so they come last. */
static void ends_without_reading(struct play *play)
{
    struct peer *client = play_client_small(play, SMALL_BUFFER);

    play_pause(play, client);
    fills(play, client, 2 * KIB);
    play_no_room(play, client);
    fills(play, client, 512);
    play_half_close(play, client);
}

/* Does it sleep while it can neither read from a client nor write to it? */
void select_does_nothing_while_a_client_does_not_read(struct play *play)
{
    play_serve(play);
    select_bystander(play);
    select_stalled_client(play, 64 * MIB);
    expect_idle(play);
    play_kernel_buffers(play, 4 * KIB, 0);
    ends_without_reading(play);
    expect_idle(play);
}

/* ---- Shortage ---- */

static bool can_have(rlim_t descriptors)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
           limit.rlim_max >= descriptors;
}

static bool exceeds_its_sets(const struct trace_record *record, const void *arg)
{
    (void)arg;
    return (record->call == CALL_select || record->call == CALL_pselect) &&
           record->arg[0] > FD_SETSIZE;
}

/* The nfds of select(2), where a thread is blocked in it. */
static int nfds_of(const struct census_thread *thread)
{
#ifdef SYS_select
    if (thread->syscall == SYS_select)
        return (int)thread->arg[0];
#endif
    return thread->syscall == SYS_pselect6 ? (int)thread->arg[0] : 0;
}

/* select(2), BUGS: it was given this nfds, now or before. */
static void expect_sets_in_bounds(struct play *play)
{
    struct census_thread thread[8];
    size_t count = census_threads(play_pid(play), thread, 8);
    struct trace_record record;
    int nfds = 0;

    for (size_t i = 0; i < count && i < 8 && nfds <= FD_SETSIZE; i++)
        nfds = nfds_of(&thread[i]);
    if (trace_find_last(play_trace(play), exceeds_its_sets, NULL, &record))
        nfds = (int)record.arg[0];
    play_blame(play, BLAME_WAKE);
    if (nfds > FD_SETSIZE)
        play_fail(play,
                  "a descriptor that is not below FD_SETSIZE (1024) is never "
                  "put in a set",
                  "select() was called for %d descriptors", nfds);
    play_blame(play, BLAME_BY_ITSELF);
}

/* Up to `most` clients come. Returns how many there are descriptors for: a
 * server may want several for each. */
static unsigned crowd_in(struct play *play, struct peer **client, unsigned most)
{
    for (unsigned i = 1; i <= most; i++) {
        client[i - 1] = play_client(play);
        if (!play_accepted_or_full(play, i)) {
            play_close(play, client[i - 1]);
            return i - 1;
        }
    }
    return most;
}

/* All but the last two descriptors below FD_SETSIZE, and a few low ones, are
 * taken. What becomes of the clients who get higher ones? They may be refused
 * or, with poll or epoll, served. */
void select_survives_descriptors_above_fd_setsize(struct play *play)
{
    struct peer *client[CROWD];
    unsigned crowd = can_have(FD_SETSIZE + CROWD) ? CROWD : 2;

    play_take_descriptors(play, 10, FD_SETSIZE - 2);
    play_limit_descriptors(play, FD_SETSIZE + CROWD);
    play_serve(play);
    crowd = crowd_in(play, client, crowd);
    if (crowd < 2)
        return;
    play_settle(play);
    expect_alive(play);
    expect_sets_in_bounds(play);
    for (unsigned i = 0; i < crowd; i++) {
        play_send(play, client[i], "hello\n");
        server_expect_answer(play, client[i]);
    }
    select_still_serves(play, client[0]);
    select_still_serves(play, client[1]);
    play_close(play, client[1]);
    play_settle(play);
    expect_serves(play);
}

static void come_in_vain(struct play *play, unsigned times)
{
    while (times-- > 0) {
        struct peer *client = play_client(play);

        play_send(play, client, "hello\n");
        server_expect_answer(play, client);
        play_close(play, client);
    }
}

/* No descriptor below FD_SETSIZE is left. What is left of clients that are
 * refused, or served all the same? */
void select_keeps_nothing_of_clients_that_it_refuses(struct play *play)
{
    struct peer *client[10];

    if (!can_have(FD_SETSIZE + CROWD))
        return;
    play_take_descriptors(play, 10, FD_SETSIZE);
    play_limit_descriptors(play, FD_SETSIZE + CROWD);
    play_serve(play);
    crowd_in(play, client, 10);
    expect_no_growth(play, come_in_vain, 300,
                     "300 clients for whom it had no room");
}

static unsigned lost(struct peer *const *client, size_t count)
{
    unsigned sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += client[i]->eof || client[i]->error;
    return sum;
}

/* What does one malloc that fails cost? Programs ask for memory when a client
 * comes, when it does not read, or when the clients are many. */
void select_survives_failing_malloc(struct play *play)
{
    struct peer *other, *client[GROWING];

    play_serve(play);
    other = select_bystander(play);
    play_settle(play);
    play_fault(play, "malloc#1=ENOMEM");
    client[0] = select_stalled_client(play, MIB);
    sends_no_more(client[0]);
    play_resume(play, client[0]);
    select_still_serves(play, other);
    for (size_t i = 1; i < GROWING; i++) {
        client[i] = play_client(play);
        play_send(play, client[i], "hello\n");
        server_expect_answer(play, client[i]);
    }
    play_settle(play);
    if (lost(client, GROWING) > 1)
        play_fail(play, "a malloc that fails costs one client",
                  "%u clients lost their connections", lost(client, GROWING));
    select_still_serves(play, other);
    expect_serves(play);
}
