/* describe.c - what the program is doing, in words. */
#define _GNU_SOURCE
#include "play_internal.h"

#include "blame_internal.h"
#include "wire_table.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST_THREADS 4 /* told one by one */
#define MOST_HELD    3

static size_t add(char *text, size_t size, size_t at, const char *format, ...)
{
    va_list list;

    if (at >= size)
        return at;
    va_start(list, format);
    int n = vsnprintf(text + at, size - at, format, list);
    va_end(list);
    return n < 0 ? at : at + (size_t)n;
}

/* Is it worth a word that this process holds the connection? One whose end is
 * awaited always is; else in a process that serves one client at a time. */
static bool is_held(struct play *play, const struct trace_thread *slot,
                    const struct peer *peer)
{
    int conn = atomic_load(&slot->conn);
    bool many = call_family(atomic_load(&slot->call)) == FAMILY_POLL ||
                census_thread_count(slot->pid) > 1;

    return peer->kind != PEER_USER && peer->number != conn &&
           (!many || (play->awaits_end && peer->number == play->blame_conn)) &&
           play_holds(play, slot->pid, peer);
}

static size_t describe_held(struct play *play, char *text, size_t size,
                            size_t at, const struct trace_thread *slot)
{
    char list[64] = "";
    size_t len = 0;
    unsigned held = 0;

    for (size_t i = 0; slot->thread <= 1 && i < play->peers; i++) {
        if (!is_held(play, slot, play->peer[i]))
            continue;
        if (held++ < MOST_HELD)
            len = add(list, sizeof(list), len, "%s%d", held > 1 ? ", " : "",
                      play->peer[i]->number);
    }
    if (held == 0)
        return at;
    return add(text, size, at, ", and still holds connection%s %s%s",
               held > 1 ? "s" : "", list, held > MOST_HELD ? " ..." : "");
}

static bool is_gone(const struct trace_thread *slot)
{
    return !census_lives(slot->pid, atomic_load(&slot->tid));
}

static size_t describe_lock(struct play *play, char *text, size_t size,
                            size_t at, const struct trace_thread *slot)
{
    const struct trace_thread *holder;
    enum blame_lock lock = blame_lock(play, slot, &holder);
    char place[80];

    if (lock == LOCK_NONE)
        return at;
    blame_standing(play, slot, place, sizeof(place));
    at = add(text, size, at, " waits for a lock%s that ", place);
    if (lock == LOCK_ITS_OWN)
        return add(text, size, at, "it has locked itself");
    if (lock == LOCK_COPIED)
        return add(text, size, at, "was locked when it was forked");
    if (holder->pid != slot->pid)
        at = add(text, size, at, "process %d, ", holder->process);
    return add(text, size, at, "thread %d %s", holder->thread,
               lock == LOCK_LEFT ? "has left locked" : "has locked");
}

/* Of a thread that waits for something that the trace does not know. */
static size_t describe_standing(struct play *play, char *text, size_t size,
                                size_t at, const struct trace_thread *slot)
{
    struct census_thread thread;
    char place[80];
    bool for_signal =
        census_thread(slot->pid, atomic_load(&slot->tid), &thread) &&
        thread.syscall == SYS_rt_sigtimedwait;

    blame_standing(play, slot, place, sizeof(place));
    return add(text, size, at, " waits for %s%s",
               for_signal ? "a signal" : "a lock, a signal or a time", place);
}

static size_t describe_thread(struct play *play, char *text, size_t size,
                              size_t at, const struct trace_thread *slot,
                              bool at_rest)
{
    enum call_id call = atomic_load(&slot->call);
    int conn = atomic_load(&slot->conn);
    char place[80];

    at = add(text, size, at, "process %d", slot->process);
    if (slot->thread > 1)
        at = add(text, size, at, ", thread %d", slot->thread);
    size_t told = at_rest ? describe_lock(play, text, size, at, slot) : at;
    if (told != at)
        return told;
    if (call == CALL_none && at_rest)
        return describe_standing(play, text, size, at, slot);
    if (call == CALL_none)
        return add(text, size, at, " is in its own code");
    blame_place(play, atomic_load(&slot->caller), place, sizeof(place));
    at = add(text, size, at, " is blocked in %s()%s", call_name(call), place);
    if (conn > 0)
        at = add(text, size, at, " on connection %d", conn);
    return describe_held(play, text, size, at, slot);
}

static unsigned order_of(const struct trace_thread *slot)
{
    return (unsigned)slot->process << 16 | slot->thread;
}

/* The thread that lives and comes next after `before`, by its numbers: which
 * of two new threads got its place in the trace first is chance. */
static const struct trace_thread *next_thread(struct trace *trace,
                                              const struct trace_thread *before)
{
    uint32_t count = atomic_load(&trace->threads);
    const struct trace_thread *next = NULL;

    for (uint32_t i = 0; i < count && i < TRACE_THREADS; i++) {
        const struct trace_thread *slot = &trace->thread[i];

        if ((!before || order_of(slot) > order_of(before)) &&
            (!next || order_of(slot) < order_of(next)) && !is_gone(slot))
            next = slot;
    }
    return next;
}

static size_t describe_threads(struct play *play, bool at_rest, char *text,
                               size_t size, size_t at)
{
    const struct trace_thread *slot = NULL;
    unsigned told = 0;

    while ((slot = next_thread(play->program->trace, slot))) {
        if (told++ == MOST_THREADS)
            return add(text, size, at, "; ...");
        at = add(text, size, at, told == 1 ? "" : "; ");
        at = describe_thread(play, text, size, at, slot, at_rest);
    }
    return at;
}

char *play_describe_threads(struct play *play, char *text, size_t size)
{
    text[0] = '\0';
    describe_threads(play, true, text, size, 0);
    return text;
}

/* Whatever the row is about, that is not it. */
static void describe_spin(struct play *play, char *text, size_t size)
{
    struct trace *trace = play->program->trace;
    struct trace_record record;
    char place[80];
    size_t at =
        add(text, size, 0, "the program spins: %u calls without any progress",
            atomic_load(&trace->calls) - play->calls_then);

    if (!play->why)
        play_explain(play,
                     "A call that has nothing to do, or fails, and is made "
                     "again at once burns the processor that others wait for.",
                     "What does that call answer each time, and which call "
                     "could wait until the answer is another?");
    if (!blame_find_spin(play, &record))
        return;
    blame_place(play, record.caller[0], place, sizeof(place));
    add(text, size, at, ", again and again %s()%s", call_name(record.call),
        place);
}

static bool has_ended(struct play *play, void *arg)
{
    (void)arg;
    return program_ended(play->program);
}

char *play_describe_end(struct play *play, char *text, size_t size)
{
    char status[160];

    text[0] = '\0';
    play_until(play, has_ended, NULL);
    if (program_ended(play->program))
        snprintf(
            text, size, "; the program %s",
            program_status_text(play->program->status, status, sizeof(status)));
    return text;
}

char *play_describe(struct play *play, enum play_end end, char *text,
                    size_t size)
{
    size_t at = 0;
    char status[160];

    text[0] = '\0';
    switch (end) {
    case END_ENDED:
        add(text, size, 0, "the program %s",
            program_status_text(play->program->status, status, sizeof(status)));
        return text;
    case END_SPINS:
        describe_spin(play, text, size);
        return text;
    case END_TIMED:
        at = add(text, size, at,
                 "it wakes up by time-outs only, and does nothing then; ");
        break;
    default:
        at = add(text, size, at, "nothing moves any more: ");
        break;
    }
    describe_threads(play, play->hangs, text, size, at);
    return text;
}

/* ---- Where it listens ---- */

struct listener {
    struct play *play;
    unsigned port; /* 0: none yet */
};

/* The play's port comes before any other that it listens on. */
static bool is_own(const struct wire_row *row, void *arg)
{
    struct listener *listener = arg;
    struct census_fd fds[64];
    int count = row->state == TCP_LISTEN
                    ? census_fds(listener->play->program->pid, fds, 64)
                    : 0;

    for (int i = 0; i < count && i < 64; i++)
        if (fds[i].kind == CENSUS_SOCKET && fds[i].inode == row->inode)
            listener->port = row->local;
    return listener->port == listener->play->port;
}

const char *play_describe_listener(struct play *play, const char *addr,
                                   char *text, size_t size)
{
    struct listener listener = {play, 0};

    wire_each(true, is_own, &listener);
    if (listener.port == 0 || program_ended(play->program))
        return "";
    if (listener.port == play->port)
        snprintf(text, size, "; it listens on that port, but not at %s", addr);
    else
        snprintf(text, size, "; it listens on port %u%s", listener.port,
                 listener.port == htons(play->port)
                     ? ", which is that number with its bytes swapped: htons(3)"
                     : "");
    return text;
}
