/* play.c - the loop behind every wait: move the peers, look, wait for the
 * trace to move, or for the proof that nothing will. */
#define _GNU_SOURCE
#include "play_internal.h"

#include "clock.h"
#include "debug.h"
#include "watchdog.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void play_tell(struct play *play, const char *format, ...)
{
    va_list list;

    if (play->acts == PLAY_ACTS)
        return;
    struct play_act *act = &play->act[play->acts++];
    act->at_ns = clock_ns();
    va_start(list, format);
    vsnprintf(act->text, sizeof(act->text), format, list);
    va_end(list);
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
        for (char *nul = room > 0 ? text->text + text->len : spill, *at = nul;
             (at = memchr(at, '\0', (size_t)(nul + n - at)));)
            *at = '?'; /* a log may hold any byte, a text but one */
        if (room > 0)
            text->len += (size_t)n;
        else
            keep_last(text, spill, (size_t)n);
    }
    text->text[text->len] = '\0';
    return moved;
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
        proof_progress(play);
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
    if (play->row->tool != TOOL_NONE)
        return; /* the play only sets the scene: how far, is no race's to say */
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

#define SLICE_US      200u
#define SLICE_MOST_US 2000u

/* The first looks come soon, the later ones leave the program alone: all the
 * more while it is seen to be at work, or to wait for a processor. */
static unsigned slice_us(unsigned quiet, unsigned busy)
{
    unsigned us = quiet < 2 ? SLICE_US : quiet < 10 ? 500 : SLICE_MOST_US;

    while (busy-- > 0 && us < SLICE_MOST_US)
        us *= 2;
    return us < SLICE_MOST_US ? us : SLICE_MOST_US;
}

/* So often is looked while the program moves. */
#define LOOK_TURNS 64

/* A program may make calls without end, for nothing that our peers see: then
 * each of them is not worth a look, but many are. */
static uint32_t worth_a_look(unsigned in_vain)
{
    return in_vain < 16 ? 1 : in_vain < 256 ? in_vain : 256;
}

static enum play_end wait_until(struct play *play, play_condition *holds,
                                void *arg)
{
    struct trace *trace = play->program->trace;
    struct proof proof = {.last = {.state = REST_BUSY}};
    unsigned quiet = 0, busy = 0, turns = 0, in_vain = 0;

    proof_progress(play);
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
        proof_note_bytes(play);
        if (proof_spins(play))
            return END_SPINS;
        if (moved && ++turns % LOOK_TURNS != 0) {
            quiet = in_vain = 0;
            continue;
        }
        uint32_t steps = worth_a_look(in_vain);
        trace_wait_steps(trace, seq, steps, slice_us(quiet, busy));
        in_vain = atomic_load(&trace->seq) != seq ? in_vain + 1 : 0;
        if (in_vain > 0 && steps < LOOK_TURNS && ++turns % LOOK_TURNS != 0) {
            quiet = 0;
            continue;
        }
        enum play_end end = proof_look(play, &proof);
        if (end == END_ENDED && !ended) { /* take in what it left first */
            program_hurry(play->program);
            continue;
        }
        if (end != END_HOLDS)
            return (play_pump(play) && end != END_SPINS && end != END_TIMED) ||
                           holds(play, arg)
                       ? END_HOLDS
                       : end;
        quiet++;
        busy = proof.last.state == REST_BUSY ? busy + 1 : 0;
        if ((end = proof_at_deadline(play, &proof)) != END_HOLDS)
            return end;
    }
}

enum play_end play_until(struct play *play, play_condition *holds, void *arg)
{
    enum play_end end = wait_until(play, holds, arg);

    if (end == END_SPINS)
        limits_look_now(play);
    if (watchdog_has_bitten() && play->verdict->status != VERDICT_FAIL) {
        errno = EDEADLK;
        play_not_graded(play, "the program held the kit itself in the kernel");
    }
    if (end == END_DEADLINE && play->verdict->status != VERDICT_FAIL) {
        errno = ETIME; /* the clock is no judge of programs */
        play_not_graded(play, "nothing could be proved in time; is this "
                              "machine overloaded?");
    }
    return end;
}

static enum play_end until(struct play *play, play_condition *holds, void *arg)
{
    enum play_end end;

    do {
        end = play_until(play, holds, arg);
    } while (end == END_HOLDS && !holds(play, arg));
    return end;
}

enum play_end play_come_true(struct play *play, play_condition *holds,
                             void *arg)
{
    enum play_end end = until(play, holds, arg);

    play->hangs = end == END_REST || end == END_TIMED;
    play->spins = end == END_SPINS;
    return end;
}

void play_must(struct play *play, play_condition *holds, void *arg,
               const char *expected)
{
    char words[700];
    enum play_end end = play_come_true(play, holds, arg);

    if (end != END_HOLDS)
        play_fail(play, expected, "%s",
                  play_describe(play, end, words, sizeof(words)));
}

/* A program that waits with a time-out is at rest, too, when it is calm. */
static bool is_calm(struct play *play, void *arg)
{
    (void)arg;
    return proof_is_calm(play);
}

static enum play_end until_rest(struct play *play)
{
    return until(play, is_calm, NULL);
}

void play_settle(struct play *play)
{
    until_rest(play);
}

static bool is_calm_or_has_called(struct play *play, void *calls)
{
    return is_calm(play, NULL) ||
           (int32_t)(atomic_load(&play->program->trace->calls) -
                     *(uint32_t *)calls) > 0;
}

void play_settle_within(struct play *play, uint32_t calls)
{
    calls += atomic_load(&play->program->trace->calls);
    until(play, is_calm_or_has_called, &calls);
}

void play_settle_soon(struct play *play)
{
    play_settle_within(play, 100);
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
