/* test_rest.c - rest is proved, of real programs: programs/rests.c. */
#include "program_fixture.h"

#include "../../harness/clock.h"
#include "../../harness/rest.h"

#include <signal.h>

static struct rest seen;

static int open_rests(void **state)
{
    (void)state;
    return open_program("rests");
}

static void start(const char *act)
{
    const char *const argv[] = {"rests", act, NULL};
    const struct program_start how = {
        .argv = argv, .descriptors = 256, .input = -1, .output = -1};

    program_kill(&program);
    trace_reset(program.trace);
    assert_int_equal(program_run(&program, &how), 0);
}

/* Looks until three looks in a row are the same; REST_BUSY: they never
 * are. */
static enum rest_state settled(int looks)
{
    struct rest before = {.state = REST_BUSY};

    for (int look = 0, same = 0; look < looks; look++) {
        assert_int_equal(rest_look(&seen, &program), 0);
        same = rest_same(&before, &seen) ? same + 1 : 0;
        before = seen;
        if (same >= 2 && seen.state != REST_BUSY)
            return seen.state;
        trace_wait(program.trace, seen.seq, 1000);
    }
    return REST_BUSY;
}

static void assert_rests(const char *act, enum rest_state state)
{
    start(act);
    enum rest_state found = settled(UNIT_LOOKS);
    if (found != state)
        fail_msg("%s: state %d, not %d", act, found, state);
}

static void a_program_that_is_blocked_is_blocked(void **state)
{
    static const char *const acts[] = {"read",    "poll",    "select",
                                       "pselect", "epoll",   "accept",
                                       "pause",   "sigwait", "condition"};

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(acts); i++)
        assert_rests(acts[i], REST_BLOCKED);
    assert_int_equal(seen.processes, 1);
    assert_int_equal(seen.threads, 1);
}

static void a_program_that_pauses_is_timed(void **state)
{
    static const char *const acts[] = {"sleep", "linger", "select-timed",
                                       "pselect-timed"};

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(acts); i++)
        assert_rests(acts[i], REST_TIMED);
}

static void a_wait_with_a_short_time_out_is_timed(void **state)
{
    static const char *const acts[] = {"poll-soon", "sigwait-soon",
                                       "condition-soon"};

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(acts); i++)
        assert_rests(acts[i], REST_TIMED);
}

static void a_wait_with_a_long_time_out_is_patient(void **state)
{
    static const char *const acts[] = {"poll-timed",      "epoll-timed",
                                       "sigwait-timed",   "condition-timed",
                                       "semaphore-timed", "timed-socket"};

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(acts); i++)
        assert_rests(acts[i], REST_PATIENT);
}

static void a_timer_makes_it_timed(void **state)
{
    (void)state;
    assert_rests("timerfd", REST_TIMED);
    assert_rests("alarm-again", REST_TIMED);
    assert_rests("alarm-far-off", REST_PATIENT);
}

static void an_alarm_that_has_gone_off_is_none(void **state)
{
    (void)state;
    assert_rests("alarm-soon", REST_TIMED);
    uint64_t over_ns = atomic_load(&program.trace->alarm_over_ns);
    assert_in_range(over_ns, clock_ns(), clock_ns() + 2000000000u);
    atomic_store(&program.trace->alarm_over_ns, 1); /* as if it were then */
    assert_int_equal(settled(UNIT_LOOKS), REST_BLOCKED);
}

static void a_wait_beside_a_timed_socket_is_blocked(void **state)
{
    (void)state;
    assert_rests("poll-timed-socket", REST_BLOCKED);
    assert_rests("accept-timed-socket", REST_BLOCKED);
}

static void a_deadlock_is_blocked(void **state)
{
    (void)state;
    assert_rests("deadlock", REST_BLOCKED);
    assert_int_equal(seen.threads, 2);
}

static void a_join_that_never_ends_is_blocked(void **state)
{
    (void)state;
    assert_rests("join", REST_BLOCKED);
    assert_int_equal(seen.threads, 2);
}

static void a_spinning_program_is_never_at_rest(void **state)
{
    (void)state;
    start("spin");
    assert_int_equal(settled(50), REST_BUSY);
    assert_int_equal(seen.state, REST_BUSY);
}

static void one_thread_that_spins_is_enough(void **state)
{
    (void)state;
    start("thread-spins");
    assert_int_equal(settled(50), REST_BUSY);
}

static void one_thread_that_sleeps_is_timed(void **state)
{
    (void)state;
    assert_rests("thread-sleeps", REST_TIMED);
}

static void a_child_that_works_is_work(void **state)
{
    (void)state;
    start("child-spins");
    assert_int_equal(settled(50), REST_BUSY);
}

static void an_orphan_that_works_is_work(void **state)
{
    (void)state;
    start("orphan-spins");
    unit_await(&program);
    assert_int_equal(settled(50), REST_BUSY);
    assert_int_equal(seen.processes, 1);
}

static void a_child_is_looked_at_too(void **state)
{
    (void)state;
    assert_rests("child-sleeps", REST_TIMED);
    assert_rests("child-blocks", REST_BLOCKED);
    assert_int_equal(seen.processes, 2);
    assert_rests("vfork-blocks", REST_BLOCKED);
    assert_int_equal(seen.processes, 2);
}

static void a_zombie_is_no_work_and_is_counted(void **state)
{
    (void)state;
    assert_rests("child-is-zombie", REST_BLOCKED);
    assert_int_equal(seen.processes, 1);
    assert_int_equal(seen.zombies, 1);
}

static void a_program_that_has_ended_is_gone(void **state)
{
    (void)state;
    start("end");
    unit_await(&program);
    assert_int_equal(settled(UNIT_LOOKS), REST_GONE);
    assert_int_equal(seen.processes, 0);
}

static void await_stopped(bool stopped)
{
    for (int look = 0; look < UNIT_LOOKS; look++) {
        rest_look(&seen, &program);
        if (seen.stopped == stopped)
            return;
        trace_wait(program.trace, seen.seq, 1000);
    }
    fail_msg("it is not %s", stopped ? "stopped" : "continued");
}

static void a_stopped_program_is_blocked_and_stopped(void **state)
{
    (void)state;
    start("spin");
    kill(program.pid, SIGSTOP);
    await_stopped(true);
    assert_int_equal(settled(UNIT_LOOKS), REST_BLOCKED);
    assert_true(seen.stopped);
    kill(program.pid, SIGCONT);
    assert_int_equal(settled(50), REST_BUSY);
    assert_false(seen.stopped);
}

/* Stopped in a call, and continued: what it is in then has another name. */
static void assert_rests_after_a_stop(const char *act, enum rest_state state)
{
    start(act);
    assert_int_not_equal(settled(UNIT_LOOKS), REST_BUSY);
    kill(program.pid, SIGSTOP);
    await_stopped(true);
    kill(program.pid, SIGCONT);
    await_stopped(false);
    enum rest_state found = settled(UNIT_LOOKS);
    if (found != state)
        fail_msg("%s, stopped and continued: state %d, not %d", act, found,
                 state);
}

static void a_stop_does_not_change_what_a_wait_is(void **state)
{
    (void)state;
    assert_rests_after_a_stop("read", REST_BLOCKED);
    assert_rests_after_a_stop("accept", REST_BLOCKED);
    assert_rests_after_a_stop("poll", REST_BLOCKED);
    assert_rests_after_a_stop("poll-timed", REST_TIMED);
    assert_rests_after_a_stop("select-timed", REST_TIMED);
    assert_rests_after_a_stop("sleep", REST_TIMED);
    assert_rests_after_a_stop("condition-timed", REST_TIMED);
}

static void looks_at_a_resting_program_are_the_same(void **state)
{
    struct rest before, now;

    (void)state;
    assert_rests("read", REST_BLOCKED);
    rest_look(&before, &program);
    rest_look(&now, &program);
    assert_true(rest_same(&before, &now));
}

static void whatever_moved_shows_between_two_looks(void **state)
{
    const struct rest still = {.state = REST_BLOCKED, .threads = 1};
    struct rest moved[6];

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(moved); i++)
        moved[i] = still;
    moved[0].state = REST_TIMED;
    moved[1].seq++;
    moved[2].cpu_ns++;
    moved[3].turns++;
    moved[4].zombies++;
    moved[5].threads++;
    for (size_t i = 0; i < UNIT_COUNT(moved); i++)
        assert_false(rest_same(&still, &moved[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_TEST(a_program_that_is_blocked_is_blocked),
        RUN_TEST(a_program_that_pauses_is_timed),
        RUN_TEST(a_wait_with_a_short_time_out_is_timed),
        RUN_TEST(a_wait_with_a_long_time_out_is_patient),
        RUN_TEST(a_timer_makes_it_timed),
        RUN_TEST(an_alarm_that_has_gone_off_is_none),
        RUN_TEST(a_wait_beside_a_timed_socket_is_blocked),
        RUN_TEST(a_deadlock_is_blocked),
        RUN_TEST(a_join_that_never_ends_is_blocked),
        RUN_TEST(a_spinning_program_is_never_at_rest),
        RUN_TEST(one_thread_that_spins_is_enough),
        RUN_TEST(one_thread_that_sleeps_is_timed),
        RUN_TEST(a_child_that_works_is_work),
        RUN_TEST(an_orphan_that_works_is_work),
        RUN_TEST(a_child_is_looked_at_too),
        RUN_TEST(a_zombie_is_no_work_and_is_counted),
        RUN_TEST(a_program_that_has_ended_is_gone),
        RUN_TEST(a_stopped_program_is_blocked_and_stopped),
        RUN_TEST(a_stop_does_not_change_what_a_wait_is),
        RUN_TEST(looks_at_a_resting_program_are_the_same),
        RUN_TEST(whatever_moved_shows_between_two_looks),
    };

    unit_begin();
    return cmocka_run_group_tests_name("rest", tests, open_rests,
                                       close_program) != 0;
}
