/* test_proof.c - bytes that no peer sees are progress, though not for ever:
 * of real programs, programs/moves.c. */
#include "program_fixture.h"

#include "../../harness/clock.h"
#include "../../harness/play_internal.h"

#include <sys/syscall.h>
#include <sys/timerfd.h>

static int open_moves(void **state)
{
    (void)state;
    return open_program("moves");
}

static bool listens(struct play *play, void *arg)
{
    (void)arg;
    return atomic_load(&play->program->trace->listens) > 0;
}

/* We stand still from the third look on until the program has computed. */
static bool stands_still(struct play *play, void *arg)
{
    struct trace *trace = play->program->trace;

    (void)arg;
    while (play->looks_since > 2 && atomic_load(&trace->listens) == 0)
        trace_wait(trace, atomic_load(&trace->seq), 100000);
    return false;
}

static struct verdict verdict;

/* A play of the program, which is not started yet. */
static struct play open_play(void)
{
    static const struct step_case row = {.name = "moves"};
    struct play play = {
        .row = &row, .verdict = &verdict, .program_name = "moves"};

    memset(&verdict, 0, sizeof(verdict));
    play_open(&play, &program, 0);
    return play;
}

/* How the wait for a program ends that does this in each of its rounds. */
static enum play_end end_of(const char *act, const char *rounds,
                            play_condition *holds)
{
    struct play play = open_play();
    enum play_end end;

    play_start(&play, (const char *const[]){act, rounds, NULL});
    do {
        end = play_until(&play, holds, NULL);
    } while (end == END_HOLDS && !holds(&play, NULL));
    play_end(&play);
    return end;
}

static void bytes_for_ever_are_a_spin(void **state)
{
    (void)state;
    assert_int_equal(end_of("goes-on", "0", listens), END_SPINS);
    assert_int_equal(end_of("computes", "0", listens), END_SPINS);
}

static void bytes_for_ever_between_pauses_are_waits_in_vain(void **state)
{
    (void)state;
    assert_int_equal(end_of("rests", "0", listens), END_TIMED);
}

/* Each for longer than it may without them. */
static void many_bytes_are_progress(void **state)
{
    (void)state;
    assert_int_equal(end_of("goes-on", "150000", listens), END_HOLDS);
    assert_int_equal(end_of("computes", "75", listens), END_HOLDS);
    assert_int_equal(end_of("rests", "40", listens), END_HOLDS);
}

/* A timer wakes it: for a while that may be what it waits for, not for ever. */
static void ticks_for_ever_are_waits_in_vain(void **state)
{
    (void)state;
    assert_int_equal(end_of("ticks", "2", listens), END_HOLDS);
    assert_int_equal(end_of("ticks-slowly", "1", listens), END_HOLDS);
    assert_int_equal(end_of("ticks", "0", listens), END_TIMED);
}

static void naps_that_nobody_sees_are_waits_in_vain(void **state)
{
    (void)state;
    assert_int_equal(end_of("naps", "12", listens), END_HOLDS);
    assert_int_equal(end_of("naps", "0", listens), END_TIMED);
}

/* Of many threads each has to wake for nothing. */
static void many_time_outs_are_not_one(void **state)
{
    (void)state;
    assert_int_equal(end_of("crowded", "0", listens), END_HOLDS);
}

/* A thread that wakes for nothing says nothing of one that is at work. */
static void rest_is_that_of_all_threads(void **state)
{
    struct play play = open_play();

    (void)state;
    play_start(&play, (const char *const[]){"accompanied", "15", NULL});
    play_settle(&play);
    assert_true(listens(&play, NULL));
    play_end(&play);
}

/* The program's own descriptor of its timer; -1: it has none yet. */
static int timer_of(const struct play *play)
{
    struct census_fd fds[16];
    int count = census_fds(play->program->pid, fds, 16);

    for (int i = 0; i < count && i < 16; i++)
        if (strstr(fds[i].target, "timerfd")) {
            int pidfd = (int)syscall(SYS_pidfd_open, play->program->pid, 0);
            int timer = (int)syscall(SYS_pidfd_getfd, pidfd, fds[i].fd, 0);
            close(pidfd);
            return timer;
        }
    return -1;
}

/* To one who looks, a timer that is due and not dealt with yet is as one that
 * is not armed. It is so from the third look on that saw it armed, to the
 * fortieth. */
static bool is_due_for_a_while(struct play *play, void *arg)
{
    const struct itimerspec none = {0}, soon = {.it_value = {0, 1}};
    static uint32_t first;
    int timer = -1;

    if (play->armed.timer == CENSUS_TIMER_ARMED && first == 0)
        first = play->looks_since;
    if (first > 0 && play->looks_since == first + 2)
        timerfd_settime(timer = timer_of(play), 0, &none, NULL);
    if (first > 0 && play->looks_since == first + 40)
        timerfd_settime(timer = timer_of(play), 0, &soon, NULL);
    if (timer != -1)
        close(timer);
    return listens(play, arg);
}

static void a_timer_that_is_due_is_waited_for(void **state)
{
    (void)state;
    assert_int_equal(end_of("ticks", "1", is_due_for_a_while), END_HOLDS);
}

/* Who is held at a gate waits for us, and not until its time is out. */
static void who_is_held_is_not_waited_for(void **state)
{
    struct play play = open_play();

    (void)state;
    unsigned gate = play_fault(&play, "recv#1=hold");
    play_start(&play, (const char *const[]){"alarmed", "0", NULL});
    play_held(&play, gate, 1);
    assert_int_equal(play_until(&play, listens, NULL), END_TIMED);
    play_end(&play);
}

/* That the kernel charges for what passed meanwhile is no proof. */
static void who_stood_still_has_not_seen_it_spin(void **state)
{
    (void)state;
    assert_int_equal(end_of("toils", "0", listens), END_SPINS);
    assert_int_equal(end_of("toils", "50", stands_still), END_REST);
}

/* Is it one, of a program of which at least so many processes compute, after so
 * many calls? */
static bool is_a_spin(const char *act, size_t busy, uint32_t calls)
{
    struct play play = open_play();
    struct rest now = {0};

    play_start(&play, (const char *const[]){act, "0", NULL});
    while (now.busy < busy)
        assert_int_equal(rest_look(&now, &program), 0);
    play.calls_then = atomic_load(&program.trace->calls) - calls;
    bool spins = proof_spins(&play);
    play_end(&play);
    return spins;
}

/* One of them may still do what is waited for. */
static void who_spins_beside_others_may_do_so_for_longer(void **state)
{
    (void)state;
    assert_true(is_a_spin("toils", 1, 20001));
    assert_false(is_a_spin("twins", 2, 20001));
    assert_true(is_a_spin("twins", 2, 160001));
}

/* The end of a wait that has lasted so long, with so many looks since the last
 * progress, of which so many were the same. */
static enum play_end end_after(unsigned seconds, unsigned looks, unsigned same,
                               enum rest_state state)
{
    struct program looked_at = {.slowness = 1};
    struct play play = {.program = &looked_at, .looks_since = looks};
    const struct proof proof = {.last.state = state, .same = same};

    play.waited_ns = play.watched_ns = (uint64_t)seconds * 1000000000u;
    return proof_at_deadline(&play, &proof);
}

/* Who gets no processor has time, though not for ever. */
static void who_starves_is_waited_for(void **state)
{
    struct program looked_at = {.slowness = 1};
    struct play play = {.program = &looked_at, .looks_since = 100000};
    const struct proof proof = {.last.state = REST_BUSY};

    (void)state;
    play.waited_ns = 100000000000u;
    assert_int_equal(proof_at_deadline(&play, &proof), END_HOLDS);
    play.waited_ns = 200000000000u;
    assert_int_equal(proof_at_deadline(&play, &proof), END_DEADLINE);
}

/* Nor is that time a wait in vain, with the pause that comes after it. */
static void who_starves_does_not_stand_still(void **state)
{
    (void)state;
    assert_int_equal(end_of("kept", "2", listens), END_HOLDS);
}

/* A machine that is too busy to look proves nothing by the hour. */
static void the_deadline_needs_looks(void **state)
{
    (void)state;
    assert_int_equal(end_after(10, 100000, 0, REST_BUSY), END_HOLDS);
    assert_int_equal(end_after(100, 999, 0, REST_BUSY), END_HOLDS);
    assert_int_equal(end_after(100, 1000, 0, REST_BUSY), END_DEADLINE);
    assert_int_equal(end_after(100, 1000, 99, REST_BLOCKED), END_DEADLINE);
    assert_int_equal(end_after(100, 1000, 100, REST_BLOCKED), END_REST);
    assert_int_equal(end_after(100, 1000, 100, REST_TIMED), END_TIMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_for_ever_are_a_spin),
        cmocka_unit_test(bytes_for_ever_between_pauses_are_waits_in_vain),
        cmocka_unit_test(many_bytes_are_progress),
        cmocka_unit_test(ticks_for_ever_are_waits_in_vain),
        cmocka_unit_test(naps_that_nobody_sees_are_waits_in_vain),
        cmocka_unit_test(many_time_outs_are_not_one),
        cmocka_unit_test(a_timer_that_is_due_is_waited_for),
        cmocka_unit_test(rest_is_that_of_all_threads),
        cmocka_unit_test(who_is_held_is_not_waited_for),
        cmocka_unit_test(who_stood_still_has_not_seen_it_spin),
        cmocka_unit_test(who_spins_beside_others_may_do_so_for_longer),
        cmocka_unit_test(who_starves_is_waited_for),
        cmocka_unit_test(who_starves_does_not_stand_still),
        cmocka_unit_test(the_deadline_needs_looks),
    };

    unit_begin();
    return cmocka_run_group_tests_name("proof", tests, open_moves,
                                       close_program) != 0;
}
