/* play.c - the loop behind every wait: move the peers, look, wait for the
 * trace to move, and prove it where nothing will. */
#define _GNU_SOURCE
#include "play_internal.h"

#include "blame.h"
#include "census.h"
#include "debug.h"
#include "story.h"
#include "watchdog.h"
#include "wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The net below. Rest, spinning and death are proved long before. */
#define DEADLINE_NS 20000000000u

/* Without any progress at the peers: nobody computes so long for an echo. */
#define SPIN_CALLS  20000u
#define SPIN_CPU_NS 500000000u

/* Bytes that the program moves are progress, but not for ever: nobody moves so
 * many within itself for an echo. */
#define MOVING_CALLS 100000u
#define MOVING_NS    (3 * (uint64_t)DEADLINE_NS)

/* So many looks that are the same, at the deadline. */
#define STILL_LOOKS 100

/* A wait with a time-out that ran out for a second in all, for nothing. */
#define TIMED_MS 1000u

/* A time-out up to this is waited for: only a call that ends can be judged. */
#define PATIENCE_MS 5000

uint64_t play_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void play_tell(struct play *play, const char *format, ...)
{
    va_list list;

    if (play->acts == PLAY_ACTS)
        return;
    struct play_act *act = &play->act[play->acts++];
    act->at_ns = play_now_ns();
    va_start(list, format);
    vsnprintf(act->text, sizeof(act->text), format, list);
    va_end(list);
}

/* What led up to the verdict: the last rows of the story. */
static void keep_story(struct play *play)
{
    struct story story;

    if (story_take(&story, play) < 0)
        return;
    story_tail(&story, 8, play->verdict->story, sizeof(play->verdict->story));
    story_release(&story);
}

static void keep_last_printed(struct play *play)
{
    const struct play_text *errors = &play->errors;
    const char *text = play_errors(play);
    size_t len = strlen(text), room = sizeof(play->verdict->printed) - 1;

    if (errors->lost >= sizeof(errors->last)) {
        snprintf(play->verdict->printed, sizeof(play->verdict->printed),
                 "(%llu bytes in all)\n%.400s",
                 (unsigned long long)errors->len + errors->lost,
                 errors->last + sizeof(errors->last) - 401);
        return;
    }
    if (len > room) {
        text += len - room;
        const char *line = strchr(text, '\n'); /* the first is cut off */
        text = line && line[1] ? line + 1 : text;
    }
    snprintf(play->verdict->printed, sizeof(play->verdict->printed), "%s",
             text);
}

/* One of the limits may be behind what the play saw of it. */
static void add_limit(struct play *play)
{
    char *came = play->verdict->came;
    size_t len = strlen(came), room = sizeof(play->verdict->came) - len;
    int status = program_ended(play->program) ? play->program->status : 0;
    const char *limit =
        WIFSIGNALED(status) ? program_limit_text(WTERMSIG(status)) : "";
    struct census_fd fds[1];

    if (*limit && !strstr(came, limit))
        snprintf(came + len, room, "; it was killed by SIG%s%s",
                 sigabbrev_np(WTERMSIG(status)), limit);
    else if (play->program->running && play->descriptors_room == 0 &&
             play->taken[1] == 0 &&
             census_fds(play->program->pid, fds, 1) >= (int)play->descriptors)
        snprintf(came + len, room, "; all of its %u descriptors are in use",
                 play->descriptors);
}

void play_blame(struct play *play, enum play_blame blame)
{
    play->blame = play->blame_of_case = blame;
}

void play_blame_process(struct play *play, pid_t pid, const struct peer *peer)
{
    play->blame_pid = pid;
    play->blame_conn = peer->number;
    play_blame(play, BLAME_HOLDER);
}

void play_blame_for(struct play *play, enum play_blame blame)
{
    if (play->blame_of_case == BLAME_BY_ITSELF)
        play->blame = blame;
}

void play_end_failed(struct play *play)
{
    if (play->escape)
        longjmp(*play->escape, 1);
    fail();
    abort(); /* cmocka's fail() does not return; the compiler can't know */
}

/* The line and the story shall not depend on how far the program had come
 * when the verdict fell: it does first what it is going to do. */
static void let_it_finish(struct play *play)
{
    if (play->program->running && !play->hangs && !play->spins)
        play_settle(play);
    program_ended(play->program);
}

void play_fail(struct play *play, const char *expected, const char *came, ...)
{
    va_list list;

    play_pump(play);
    play->verdict->status = VERDICT_FAIL;
    snprintf(play->verdict->expected, sizeof(play->verdict->expected), "%s",
             expected);
    va_start(list, came);
    vsnprintf(play->verdict->came, sizeof(play->verdict->came), came, list);
    va_end(list);
    let_it_finish(play);
    add_limit(play);
    keep_last_printed(play);
    blame_fill(play);
    keep_story(play);
    blame_end(play);
    play_end_failed(play);
}

/* ---- Moving ---- */

/* What comes last explains most; what lies between is counted. */
static void keep_last(struct play_text *text, const char *bytes, size_t n)
{
    size_t kept = sizeof(text->last) - 1;

    text->lost += n;
    if (n < kept) {
        memmove(text->last, text->last + n, kept - n);
        memcpy(text->last + kept - n, bytes, n);
    } else {
        memcpy(text->last, bytes + n - kept, kept);
    }
}

static bool take_text(struct play_text *text, int fd)
{
    char spill[4096];
    bool moved = false;

    for (int turns = 0; fd >= 0 && turns < 64; turns++) {
        size_t room = PLAY_TEXT - 1 - text->len;
        ssize_t n = room > 0 ? read(fd, text->text + text->len, room)
                             : read(fd, spill, sizeof(spill));

        if (n <= 0)
            break;
        moved = true;
        if (room > 0)
            text->len += (size_t)n;
        else
            keep_last(text, spill, (size_t)n);
    }
    text->text[text->len] = '\0';
    return moved;
}

static void progress(struct play *play)
{
    struct trace *trace = play->program->trace;

    play->calls_then = atomic_load(&trace->calls);
    play->wakeups_then = atomic_load(&trace->wakeups);
    play->paused_then = atomic_load(&trace->paused_ms);
    play->moved_then = atomic_load(&trace->moved);
    play->time_then = play_now_ns();
    play->cpu_then = 0;
}

static void progress_at_peers(struct play *play)
{
    progress(play);
    play->calls_at_peers = play->calls_then;
    play->time_at_peers = play->time_then;
}

static bool user_owns_output(const struct play *play)
{
    for (size_t i = 0; i < play->peers; i++)
        if (play->peer[i]->kind == PEER_USER)
            return true;
    return false;
}

/* The kernel hands over what is typed by a worker of its own, later: until
 * then a program that waits for it would look as if it waited for ever.
 * Looking at the terminal waits for that worker. */
static void hand_over_typed(const struct play *play)
{
    struct pollfd look = {play->slave, POLLIN, 0};

    if (play->slave >= 0)
        poll(&look, 1, 0);
}

bool play_pump(struct play *play)
{
    bool moved = false, printed = false;

    for (size_t i = 0; i < play->peers; i++)
        moved |= peer_pump(play->peer[i]) > 0;
    hand_over_typed(play);
    if (moved) /* what it prints is none: it may log each turn of a spin */
        progress_at_peers(play);
    if (!user_owns_output(play))
        printed |= take_text(&play->output, play->program->output);
    printed |= take_text(&play->errors, play->program->errors);
    return moved || printed;
}

/* "0x64 ('d')" */
static char *byte_name(unsigned char byte, char text[16])
{
    if (byte == '\n')
        snprintf(text, 16, "0x0a ('\\n')");
    else if (isprint(byte))
        snprintf(text, 16, "0x%02x ('%c')", byte, byte);
    else
        snprintf(text, 16, "0x%02x", byte);
    return text;
}

/* Whatever is being waited for: bytes that were never due end the case. */
static void check_bytes(struct play *play)
{
    if (play->verdict->status == VERDICT_FAIL)
        return; /* it is settled already */
    for (size_t i = 0; i < play->peers; i++) {
        struct peer *peer = play->peer[i];
        unsigned long long right = peer->differs_at;
        char who[32] = "stdout", came[16], due[16];

        if (!peer->differs)
            continue;
        play->blame_conn = peer->kind == PEER_USER ? 1 : peer->number;
        play_blame_for(play, BLAME_BYTES);
        if (peer->kind != PEER_USER)
            snprintf(who, sizeof(who), "client %d", peer->number);
        byte_name(peer->differs_came, came);
        if (right >= peer->queued)
            play_fail(play, "each byte comes back once, in order",
                      "%s got back the %llu bytes that were sent, and then "
                      "more: byte %llu is %s",
                      who, right, right + 1, came);
        play_fail(play, "each byte comes back once, in order",
                  "byte %llu that %s got is %s, but %s was sent%s", right + 1,
                  who, came, byte_name(peer->differs_due, due),
                  right > 0 ? "; the bytes before it are right" : "");
    }
}

/* ---- Proving ---- */

static bool wire_quiet(struct play *play)
{
    return wire_is_quiet(play->peer, play->peers);
}

/* One look after the other: the same twice over is rest. */
struct proof {
    struct rest last;
    unsigned same;
    uint64_t since_ns; /* the first of the looks that are the same */
};

static bool is_short_pause(const struct trace_record *record, const void *tid)
{
    return record->tid == *(const int32_t *)tid && record->returned == 0 &&
           record->timeout_ms > 0 && record->timeout_ms <= PATIENCE_MS;
}

/* The longest pause that somebody is in now, of those that end soon; or 0. */
static uint64_t pause_ms(struct play *play)
{
    struct trace *trace = play->program->trace;
    uint32_t count = atomic_load(&trace->threads);
    struct trace_record record;
    int32_t longest = 0;

    for (uint32_t i = 0; i < count && i < TRACE_THREADS; i++) {
        const struct trace_thread *slot = &trace->thread[i];
        int32_t tid = atomic_load(&slot->tid);

        if (atomic_load(&slot->call) != CALL_none &&
            !strchr("XZ", census_state(slot->pid)) &&
            trace_find_last(trace, is_short_pause, &tid, &record) &&
            record.timeout_ms > longest)
            longest = record.timeout_ms;
    }
    return (uint64_t)longest;
}

/* A time-out that ran out for nothing, again and again. Or a wait of a kind
 * that the trace does not see, for a while, look after look: a machine that
 * stood still itself had no time to look. */
static bool waits_in_vain(struct play *play, const struct proof *proof)
{
    uint64_t paused =
        atomic_load(&play->program->trace->paused_ms) - play->paused_then;
    bool stands_still =
        proof->same >= STILL_LOOKS &&
        play_now_ns() - proof->since_ns >= TIMED_MS * (uint64_t)1000000;

    if (paused < TIMED_MS && !stands_still)
        return false;
    uint64_t now = pause_ms(play);
    return now > 0 ? paused >= TIMED_MS && paused >= 4 * now
                   : paused >= TIMED_MS || stands_still;
}

/* Bytes that the program moves are progress, too, though no peer sees them
 * yet. */
static void note_moved_bytes(struct play *play)
{
    const struct trace *trace = play->program->trace;

    if (atomic_load(&trace->moved) != play->moved_then &&
        atomic_load(&trace->calls) - play->calls_at_peers <= MOVING_CALLS &&
        play_now_ns() - play->time_at_peers <=
            MOVING_NS * play->program->slowness)
        progress(play);
}

/* Its first process is gone, and the fork server has not said so yet. (A
 * first thread that has left the others behind looks like it.) */
static bool is_not_told_yet(const struct play *play)
{
    pid_t pid = play->program->pid;

    return !program_ended(play->program) && census_thread_count(pid) <= 1 &&
           strchr("XZ", census_state(pid)) != NULL;
}

static enum play_end judge_look(struct play *play, struct proof *proof)
{
    struct rest now;

    if (rest_look(&now, play->program) < 0)
        return END_HOLDS;
    limits_look(play, now.threads);
    proof->same = rest_same(&proof->last, &now) ? proof->same + 1 : 0;
    if (proof->same == 0)
        proof->since_ns = play_now_ns();
    proof->last = now;
    if (play->cpu_then == 0)
        play->cpu_then = now.cpu_ns + 1;
    if (now.cpu_ns >
        play->cpu_then + (uint64_t)SPIN_CPU_NS * play->program->slowness)
        return END_SPINS;
    if (now.state == REST_GONE && wire_quiet(play))
        return END_ENDED;
    if (now.state == REST_BLOCKED && proof->same >= 2 && wire_quiet(play) &&
        !is_not_told_yet(play))
        return program_ended(play->program) ? END_ENDED : END_REST;
    if (now.state == REST_TIMED && proof->same >= 2 && wire_quiet(play) &&
        waits_in_vain(play, proof))
        return END_TIMED;
    return END_HOLDS;
}

/* A byte at a time makes many calls before a peer gets to see one: bytes that
 * leave or fill the kernel's buffers are progress, too. */
static bool makes_calls_for_nothing(struct play *play)
{
    uint64_t sum;

    if (atomic_load(&play->program->trace->calls) - play->calls_then <=
        SPIN_CALLS)
        return false;
    sum = wire_sum(play->peer, play->peers);
    if (sum == play->wire_then)
        return true;
    play->wire_then = sum;
    progress_at_peers(play);
    return false;
}

/* The first looks come soon, the later ones leave the program alone. */
static unsigned slice_us(unsigned quiet)
{
    return quiet < 2 ? 200 : quiet < 10 ? 500 : 2000;
}

/* Look after look it was blocked, though the wire never looked quiet: then
 * what lies there is nobody's to wait for. Else it is the machine's fault. */
static enum play_end end_at_deadline(const struct proof *proof)
{
    if (proof->same < STILL_LOOKS)
        return END_DEADLINE;
    return proof->last.state == REST_BLOCKED ? END_REST
           : proof->last.state == REST_TIMED ? END_TIMED
                                             : END_DEADLINE;
}

static enum play_end wait_until(struct play *play, play_condition *holds,
                                void *arg)
{
    struct trace *trace = play->program->trace;
    struct proof proof = {.last = {.state = REST_BUSY}};
    unsigned quiet = 0, turns = 0;

    progress_at_peers(play);
    for (;;) {
        debug_attach(play);
        limits_count(play);
        watchdog_feed(play->program->pid);
        uint32_t seq = atomic_load(&trace->seq);
        bool ended = program_ended(play->program);
        bool moved = play_pump(play);

        check_bytes(play);
        if (holds(play, arg))
            return END_HOLDS;
        note_moved_bytes(play);
        if (makes_calls_for_nothing(play))
            return END_SPINS;
        if (moved && ++turns % 64 != 0) {
            quiet = 0;
            continue;
        }
        trace_wait(trace, seq, slice_us(quiet));
        if (atomic_load(&trace->seq) != seq && ++turns % 64 != 0) {
            quiet = 0;
            continue;
        }
        enum play_end end = judge_look(play, &proof);
        if (end == END_ENDED && !ended)
            continue; /* take in what it left first */
        if (end != END_HOLDS)
            return (play_pump(play) && end != END_SPINS && end != END_TIMED) ||
                           holds(play, arg)
                       ? END_HOLDS
                       : end;
        quiet++;
        if (play_now_ns() - play->time_then >
            (uint64_t)DEADLINE_NS * play->program->slowness)
            return end_at_deadline(&proof);
    }
}

enum play_end play_until(struct play *play, play_condition *holds, void *arg)
{
    enum play_end end = wait_until(play, holds, arg);

    if (end == END_SPINS)
        limits_look_now(play);
    if (end == END_DEADLINE && play->verdict->status != VERDICT_FAIL) {
        errno = ETIME; /* the clock is no judge of programs */
        play_not_graded(play, "nothing could be proved in time; is this "
                              "machine overloaded?");
    }
    return end;
}

void play_must(struct play *play, play_condition *holds, void *arg,
               const char *expected)
{
    char words[700];
    enum play_end end;

    do {
        end = play_until(play, holds, arg);
    } while (end == END_HOLDS && !holds(play, arg));
    play->hangs = end == END_REST || end == END_TIMED;
    play->spins = end == END_SPINS;
    if (end != END_HOLDS)
        play_fail(play, expected, "%s",
                  play_describe(play, end, words, sizeof(words)));
}

/* A program that waits with a time-out is at rest when it has woken up a few
 * times and found nothing to do. */
static bool wakes_for_nothing(struct play *play, void *arg)
{
    struct trace *trace = play->program->trace;

    (void)arg;
    return atomic_load(&trace->wakeups) - play->wakeups_then >= 3 &&
           atomic_load(&trace->paused_ms) - play->paused_then >= 20;
}

static enum play_end until_rest(struct play *play)
{
    enum play_end end;

    do {
        end = play_until(play, wakes_for_nothing, NULL);
    } while (end == END_HOLDS && !wakes_for_nothing(play, NULL));
    return end;
}

void play_settle(struct play *play)
{
    until_rest(play);
}

void play_rest(struct play *play)
{
    enum play_end end = until_rest(play);
    char words[700];

    play->spins = end == END_SPINS;
    if (end == END_SPINS)
        play_fail(play, "the program comes to rest when nothing is left to do",
                  "%s", play_describe(play, end, words, sizeof(words)));
}
