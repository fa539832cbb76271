/* play_proof.c - proves that what a play waits for will never come: the program
 * is at rest, wakes in vain, spins or has ended. */
#define _GNU_SOURCE
#include "play_internal.h"

#include "census.h"
#include "clock.h"
#include "wire.h"

#include <string.h>

/* The net below. Rest, spinning and death are proved long before, unless the
 * machine leaves us no time to look: then it is only so many looks later. */
#define DEADLINE_NS    ((uint64_t)20000000000u)
#define DEADLINE_LOOKS 1000u

/* Without any progress at the peers: nobody computes so long for an echo. */
#define SPIN_CALLS  20000u
#define SPIN_CPU_NS 500000000u
#define SPIN_LOOKS  20u /* at the least */

/* So many looks that are the same, at the deadline. */
#define STILL_LOOKS 100

/* A wait with a time-out that ran out for a second in all, for nothing. */
#define TIMED_MS 1000u

/* Bytes that the program moves are progress, but not for ever: with them, so
 * many times as much of each. A pipe's 64 KiB, a byte at a time, are less. */
#define MOVING 8u

/* ---- Progress ---- */

static void progress(struct play *play)
{
    struct trace *trace = play->program->trace;

    play->calls_then = atomic_load(&trace->calls);
    play->paused_then = atomic_load(&trace->paused_ms);
    play->moved_then = atomic_load(&trace->moved);
    play->time_then = play->watched_ns;
    play->still_then_ns = play->still_ns;
    play->longest_ms = 0;
    play->timed = 0;
    play->looks_since = 0;
    play->cpu_since_ns = 0;
    play->calm = (struct calm){0};
}

void proof_progress(struct play *play)
{
    progress(play);
    play->calls_at_peers = play->calls_then;
    play->paused_at_peers = play->paused_then;
    play->cpu_since_peers_ns = 0;
    play->time_at_peers = play->waited_ns;
    play->still_ns = play->still_then_ns = 0;
}

/* A byte at a time makes many calls before a peer gets to see one: bytes that
 * leave or fill the kernel's buffers are progress, too. */
static bool wire_has_moved(struct play *play)
{
    uint64_t sum = wire_sum(play->peer, play->peers);

    if (sum == play->wire_then)
        return false;
    play->wire_then = sum;
    proof_progress(play);
    return true;
}

void proof_note_bytes(struct play *play)
{
    const struct trace *trace = play->program->trace;
    uint32_t calls = atomic_load(&trace->calls) - play->calls_at_peers;
    uint64_t paused = atomic_load(&trace->paused_ms) - play->paused_at_peers;

    if (atomic_load(&trace->moved) != play->moved_then &&
        ((calls <= MOVING * SPIN_CALLS && paused <= MOVING * TIMED_MS) ||
         wire_has_moved(play)))
        progress(play);
}

/* CPU time without progress; or with nothing but bytes that it moves. It is
 * seen to grow: a machine that stood still has charged that to somebody. */
static bool computes_in_vain(struct play *play, uint64_t cpu_ns)
{
    uint64_t most = (uint64_t)SPIN_CPU_NS * play->program->slowness;
    uint64_t spent = cpu_ns > play->cpu_ns ? cpu_ns - play->cpu_ns : 0;

    if (spent > most / SPIN_LOOKS)
        spent = most / SPIN_LOOKS;
    play->cpu_ns = cpu_ns;
    play->cpu_since_ns += spent;
    play->cpu_since_peers_ns += spent;
    return play->cpu_since_ns > most ||
           (play->cpu_since_peers_ns > MOVING * most && !wire_has_moved(play));
}

/* ---- Looks ---- */

static bool wire_quiet(struct play *play)
{
    return wire_is_quiet(play->peer, play->peers);
}

/* Beside one who spins another may have something to do, and no processor yet;
 * or what it is to do is under way. */
static bool others_are_busy(struct play *play)
{
    struct rest now;

    return !wire_quiet(play) ||
           (rest_look(&now, play->program) == 0 && now.busy > 1);
}

/* The others get so many times as long. Who pauses does not spin: a hundred
 * that do make many calls, too, on a machine that takes long. */
bool proof_spins(struct play *play)
{
    struct trace *trace = play->program->trace;
    uint64_t paused = atomic_load(&trace->paused_ms) - play->paused_then;
    uint32_t calls = atomic_load(&trace->calls) - play->calls_then;

    if (calls <= SPIN_CALLS + paused / 5 || wire_has_moved(play))
        return false;
    return calls > MOVING * SPIN_CALLS || !others_are_busy(play);
}

/* It has something to do, and look after look has not begun: it gets no
 * processor, which is not its fault. */
#define WATCHED_NS 100000000u
static bool starves(const struct proof *proof, uint64_t now_ns)
{
    return proof->last.state == REST_BUSY && proof->same > 0 &&
           now_ns - proof->since_ns > WATCHED_NS;
}

/* Between looks that are the same it has stood still, unless it had something
 * to do and got no processor; a machine that stood still itself had no time to
 * look. */
#define STILL_NS 20000000u
static void note_time(struct play *play, struct proof *proof)
{
    uint64_t now = clock_ns();
    uint64_t since = proof->looked_ns > 0 ? now - proof->looked_ns : 0;

    if (since > WATCHED_NS)
        since = WATCHED_NS;
    play->waited_ns += since;
    if (!starves(proof, now))
        play->watched_ns += since;
    if (proof->same > 0 && proof->last.state != REST_BUSY)
        play->still_ns += since < STILL_NS ? since : STILL_NS;
    proof->looked_ns = now;
}

/* Who has something to do, and no processor yet, is not seen to wait: what
 * another thread of it wakes up for meanwhile proves nothing. */
static void note_calm(struct play *play, uint32_t wakeups, uint64_t paused_ms)
{
    struct calm *calm = &play->calm;

    calm->wakeups[1] = wakeups;
    calm->paused_ms[1] = paused_ms;
    if (!calm->seen) {
        calm->wakeups[0] = wakeups;
        calm->paused_ms[0] = paused_ms;
    }
    calm->seen = true;
}

bool proof_is_calm(const struct play *play)
{
    const struct calm *calm = &play->calm;

    if (calm->patient)
        return true;
    return calm->seen && calm->wakeups[1] - calm->wakeups[0] >= 3 &&
           calm->paused_ms[1] - calm->paused_ms[0] >= 20;
}

/* Look after look, for a while: a machine that stood still itself had no time
 * to look. Or with interruptions, for longer: what wakes it soon, or again and
 * again, a timer or a time-out that the trace does not see, had the time to do
 * so, and has for nothing. */
static bool stands_still(const struct play *play, const struct proof *proof)
{
    const uint64_t ms = 1000000;
    uint64_t timer_ms = atomic_load(&play->program->trace->timer_ms);
    uint64_t most_ms = timer_ms > 0 ? timer_ms : TRACE_TIMER_MS;

    if (play->still_ns >= (TIMED_MS + 2 * most_ms) * ms)
        return true;
    return timer_ms == 0 && proof->same >= STILL_LOOKS &&
           clock_ns() - proof->since_ns >= TIMED_MS * ms;
}

/* So many times as long as the time-outs that it waits with now. */
#define IN_VAIN 4u

/* A time-out that ran out for nothing, again and again, of each thread that
 * waits with one. Or a wait of a kind that the trace does not see. By what the
 * look and the trace said before it: what a time-out leads to that ran out
 * since is still to be seen. */
static bool waits_in_vain(struct play *play, const struct proof *proof,
                          uint64_t paused_ms)
{
    uint64_t longest = play->longest_ms;
    uint64_t paused =
        paused_ms > play->paused_then ? paused_ms - play->paused_then : 0;

    if (play->timed > 1)
        paused /= play->timed;
    if (longest == 0)
        return paused >= TIMED_MS || stands_still(play, proof);
    return (paused >= TIMED_MS && paused >= IN_VAIN * longest) ||
           play->still_ns - play->still_then_ns >=
               (TIMED_MS + IN_VAIN * longest) * 1000000;
}

/* Its first process is gone, and the fork server has not said so yet. */
static bool is_not_told_yet(const struct play *play)
{
    return !program_ended(play->program) &&
           strchr("XZ", census_state(play->program->pid)) != NULL;
}

enum play_end proof_look(struct play *play, struct proof *proof)
{
    const struct trace *trace = play->program->trace;
    uint32_t wakeups = atomic_load(&trace->wakeups);
    uint64_t paused_ms = atomic_load(&trace->paused_ms);
    struct rest now;

    play->looks_since++;
    if (rest_look(&now, play->program) < 0)
        return END_HOLDS;
    rest_recall_timer(&play->armed, &now);
    limits_look(play, now.threads);
    proof->same = rest_same(&proof->last, &now) ? proof->same + 1 : 0;
    if (proof->same == 0)
        proof->since_ns = clock_ns();
    proof->last = now;
    if (play->longest_ms < (uint64_t)now.longest_ms)
        play->longest_ms = (uint64_t)now.longest_ms;
    if (play->timed < now.timed)
        play->timed = now.timed;
    note_time(play, proof);
    /* What came after the wire was looked at last would have shown now. */
    bool quiet = now.state != REST_BUSY && wire_quiet(play);
    bool rests = quiet && proof->quiet && proof->same >= 2;
    proof->quiet = quiet;
    if (quiet)
        note_calm(play, wakeups, paused_ms);
    play->calm.patient =
        rests && now.state == REST_PATIENT && !is_not_told_yet(play);
    if (computes_in_vain(play, now.cpu_ns))
        return END_SPINS;
    if (now.state == REST_GONE && quiet)
        return END_ENDED;
    if (now.state == REST_BLOCKED && rests) {
        if (!is_not_told_yet(play))
            return program_ended(play->program) ? END_ENDED : END_REST;
        program_hurry(play->program);
    }
    if (rest_has_timeout(&now) && rests &&
        waits_in_vain(play, proof, paused_ms))
        return END_TIMED;
    return END_HOLDS;
}

/* Look after look it was blocked, though the wire never looked quiet: then
 * what lies there is nobody's to wait for. Else it is the machine's fault. */
enum play_end proof_at_deadline(const struct play *play,
                                const struct proof *proof)
{
    uint64_t most = DEADLINE_NS * play->program->slowness;
    uint64_t now = play->watched_ns;

    if ((now - play->time_then <= most || play->looks_since < DEADLINE_LOOKS) &&
        play->waited_ns - play->time_at_peers <= MOVING * most)
        return END_HOLDS;
    if (rest_has_timeout(&proof->last) &&
        play->still_ns - play->still_then_ns > most / 2)
        return END_TIMED; /* many in turns leave no pause between them */
    if (proof->same < STILL_LOOKS)
        return END_DEADLINE;
    return proof->last.state == REST_BLOCKED ? END_REST
           : rest_has_timeout(&proof->last)  ? END_TIMED
                                             : END_DEADLINE;
}
