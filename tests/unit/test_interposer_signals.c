/* test_interposer_signals.c - which calls can be interrupted or not be ready,
 * and what is seen of the program's handlers. */
#include "interposer_fixture.h"

/* ---- EINTR and EAGAIN ---- */

static void eintr_needs_a_handler(void **state)
{
    (void)state;
    assert_run("read@conn1#1=EINTR", "conn put:5 read:5", "read=5");
    assert_int_equal(fired(0), 0);
    assert_run("read@conn1#1=EINTR", "handler:USR1 conn put:5 read:5 read:5",
               "read=EINTR read=5");
    assert_int_equal(fired(0), 1);
}

static void eintr_comes_with_its_handler(void **state)
{
    (void)state;
    assert_run("read@conn1#1=EINTR", "handler:USR1 conn put:5 read:5 handled",
               "read=EINTR handled=1");
}

static void eintr_needs_a_handler_that_is_still_there(void **state)
{
    (void)state;
    assert_run("read@conn1#1=EINTR",
               "handler:USR1 default:USR1 conn put:5 read:5", "read=5");
    assert_run("read@conn1#1=EINTR", "ignore:CHLD conn put:5 read:5", "read=5");
    assert_run("read@conn1#1=EINTR,read@conn1#2=EINTR",
               "once:USR1 conn put:5 read:5 read:5 handled",
               "read=EINTR read=5 handled=1");
}

/* alarm(2): its handler may give up, and nothing is armed. */
static void an_alarm_interrupts_once_it_has_gone_off(void **state)
{
    (void)state;
    assert_run("read@conn1#1=EINTR", "handler:ALRM conn put:5 read:5",
               "read=5");
    assert_run("read@conn1#1=EINTR",
               "handler:ALRM raise:ALRM conn put:5 read:5", "read=EINTR");
}

static void a_handler_of_sigpipe_interrupts_nothing(void **state)
{
    (void)state;
    assert_run("read@conn1#1=EINTR", "handler:PIPE conn put:5 read:5",
               "read=5");
}

static void sa_restart_spares_what_is_restarted(void **state)
{
    (void)state;
    assert_run("read@conn1#1=EINTR,accept#2=EINTR,wait#1=EINTR",
               "restarts:USR1 conn put:5 read:5 client accept orphan wait",
               "read=5 accept=0 orphan=0 wait=1");
}

static void sa_restart_does_not_spare_a_poll(void **state)
{
    (void)state;
    assert_run("poll#1=EINTR", "restarts:USR1 conn poll:0 poll:0",
               "poll=EINTR poll=0");
}

static void a_blocked_signal_interrupts_nothing(void **state)
{
    (void)state;
    assert_run("read@conn1#1=EINTR",
               "handler:USR1 block:USR1 conn put:5 read:5", "read=5");
}

static void a_handler_is_not_interrupted_by_its_own_signal(void **state)
{
    (void)state;
    run("wait#1=EINTR", "handler:CHLD does:waitpid raise:CHLD");
    assert_int_equal(fired(0), 0);
}

static void a_call_that_does_not_wait_is_not_interrupted(void **state)
{
    (void)state;
    assert_run("wait#1=EINTR", "handler:USR1 wait-nohang",
               "wait-nohang=ECHILD");
    assert_run("read@conn1#1=EINTR", "handler:USR1 conn put:5 dontwait:5",
               "dontwait=5");
    assert_run("read@conn1#1=EINTR", "handler:USR1 conn nonblock put:5 read:5",
               "read=5");
    assert_run("write@conn1#1=EINTR", "handler:USR1 conn nonblock write:5",
               "write=5");
}

static void eagain_needs_a_descriptor_that_does_not_block(void **state)
{
    (void)state;
    assert_run("read@conn1#1=EAGAIN", "conn put:5 read:5", "read=5");
    assert_run("read@conn1#1=EAGAIN", "conn nonblock put:5 read:5 read:5",
               "read=EAGAIN read=5");
    assert_run("read@conn1#1=EAGAIN", "conn put:5 dontwait:5 dontwait:5",
               "dontwait=EAGAIN dontwait=5");
    assert_run("write@conn1#1=EAGAIN", "conn write:5 nonblock write:5 write:5",
               "write=5 write=EAGAIN write=5");
}

static void eagain_never_comes_edge_triggered(void **state)
{
    (void)state;
    assert_run("read@conn1#1=EAGAIN", "conn nonblock edge put:5 read:5",
               "read=5");
    assert_run("read@conn1#1=EAGAIN", "conn nonblock async put:5 read:5",
               "read=5");
    assert_run("read@conn1#1=EAGAIN", "conn nonblock level put:5 read:5",
               "read=EAGAIN");
}

/* ---- Handlers ---- */

static void a_signal_comes_before_errno_is_looked_at(void **state)
{
    (void)state;
    assert_run("read@conn1#1=EIO+SIGUSR1",
               "handler:USR1 conn put:5 read:5 "
               "handled",
               "read=EIO handled=1");
    assert_run("read@conn1#1=EIO+SIGCHLD",
               "handler:CHLD does:spoil conn put:5 read:5 handled",
               "read=EXDEV handled=1");
}

static void calls_in_a_handler_are_marked(void **state)
{
    (void)state;
    run(NULL, "handler:USR1 does:waitpid raise:USR1 conn put:1 read:1");
    assert_true(last(CALL_waitpid).in_handler);
    assert_false(last(CALL_kill).in_handler);
    assert_false(last(CALL_read).in_handler);
}

static bool has_returned(const struct trace_record *record, const void *call)
{
    return is_call(record, call) && record->returned != 0;
}

/* The first thread has come back to `outer` from a call `inner` of a handler.
 */
static const struct trace_thread *await_back(enum call_id outer,
                                             enum call_id inner)
{
    const struct trace_thread *slot =
        trace_thread_of(program.trace, program.pid);
    struct trace_record record;

    for (int look = 0; slot && look < UNIT_LOOKS; look++) {
        uint32_t seq = atomic_load(&program.trace->seq);

        if (trace_find_last(program.trace, has_returned, &inner, &record) &&
            atomic_load(&slot->call) == outer)
            return slot;
        trace_wait(program.trace, seq, 1000);
    }
    fail_msg("it does not come back to %s()", call_name(outer));
    return NULL;
}

static void behind_a_handler_the_interrupted_call_goes_on(void **state)
{
    (void)state;
    begin("read@conn1#1=hold", "handler:USR1 does:waitpid conn put:1 read:1");
    await_held(0);
    kill(program.pid, SIGUSR1);
    const struct trace_thread *slot = await_back(CALL_read, CALL_waitpid);
    assert_int_equal(slot->conn, 1);
    assert_int_equal(slot->caller, last(CALL_read).caller[0]);
    trace_open_gate(program.trace, 0);
    assert_string_equal(finish(), "read=1");
}

static void a_handler_left_by_siglongjmp_is_left(void **state)
{
    (void)state;
    assert_run(NULL, "handler:USR1 does:longjmp raise:USR1 conn put:1 read:1",
               "jumped read=1");
    assert_false(last(CALL_read).in_handler);
    assert_run(NULL, "on-stack:USR1 does:longjmp raise:USR1 conn put:1 read:1",
               "jumped read=1");
    assert_false(last(CALL_read).in_handler);
    run(NULL, "on-stack:USR1 does:waitpid raise:USR1");
    assert_true(last(CALL_waitpid).in_handler);
}

static void injection_goes_on_after_a_jump_out_of_a_read(void **state)
{
    (void)state;
    assert_run("read@conn1#1=EIO",
               "conn handler:USR1 does:longjmp woken:read put:5 read:5 read:5",
               "jumped read=EIO read=5");
    assert_run("write@conn1#1=EIO",
               "conn handler:USR1 does:longjmp woken:read write:5 write:5",
               "jumped write=EIO write=5");
}

static void injection_goes_on_after_a_jump_out_of_a_write(void **state)
{
    (void)state;
    assert_run("write@conn1#1=EPIPE,write@conn2#1=EIO",
               "conn handler:PIPE does:longjmp write:5 conn write:5 write:5",
               "jumped write=EIO write=5");
}

static void unsafe_calls_in_a_handler_are_counted(void **state)
{
    (void)state;
    run(NULL, "handler:USR1 does:printf raise:USR1 raise:USR1");
    assert_int_equal(program.trace->unsafe, 2);
    assert_string_equal(last(CALL_unsafe).note, "printf");
    run(NULL, "handler:USR1 does:malloc raise:USR1");
    assert_int_equal(program.trace->unsafe, 2); /* and free */
    run(NULL, "handler:USR1 does:lock raise:USR1");
    assert_true(program.trace->unsafe >= 1);
    run(NULL, "handler:USR1 does:words raise:USR1");
    assert_int_equal(program.trace->unsafe, 3);
    assert_string_equal(last(CALL_unsafe).note, "dprintf");
}

static void unsafe_calls_elsewhere_are_none(void **state)
{
    (void)state;
    run(NULL, "handler:USR1 raise:USR1 conn malloc:5 fdopen thread");
    assert_int_equal(program.trace->unsafe, 0);
    run(NULL, "handler:USR1 does:longjmp raise:USR1 malloc:5 fdopen");
    assert_int_equal(program.trace->unsafe, 0);
}

static void safe_calls_in_a_handler_are_none(void **state)
{
    (void)state;
    run(NULL, "handler:CHLD does:waitpid orphan raise:CHLD");
    assert_int_equal(program.trace->unsafe, 0);
}

static void a_handler_of_the_own_writes_sigpipe_may_do_anything(void **state)
{
    (void)state;
    run("write@conn1#1=EPIPE", "handler:PIPE does:printf conn write:5");
    assert_int_equal(program.trace->unsafe, 0);
    run(NULL, "handler:PIPE does:printf conn shutdown write:5");
    assert_int_equal(program.trace->unsafe, 0);
    run("write@conn1#1=EPIPE",
        "handler:PIPE does:longjmp-after-printf conn write:5");
    assert_int_equal(program.trace->unsafe, 0);
}

static void a_sigpipe_from_elsewhere_is_asynchronous(void **state)
{
    (void)state;
    run(NULL, "handler:PIPE does:printf raise:PIPE");
    assert_int_equal(program.trace->unsafe, 1);
}

/* A jump out of the write's handler: what comes later is no longer its. */
static void a_sigpipe_after_a_jump_out_of_a_write_is_too(void **state)
{
    (void)state;
    run(NULL, "handler:PIPE does:longjmp conn shutdown write:5 does:printf "
              "raise:PIPE");
    assert_int_equal(program.trace->unsafe, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_TEST(eintr_needs_a_handler),
        RUN_TEST(eintr_comes_with_its_handler),
        RUN_TEST(eintr_needs_a_handler_that_is_still_there),
        RUN_TEST(an_alarm_interrupts_once_it_has_gone_off),
        RUN_TEST(a_handler_of_sigpipe_interrupts_nothing),
        RUN_TEST(sa_restart_spares_what_is_restarted),
        RUN_TEST(sa_restart_does_not_spare_a_poll),
        RUN_TEST(a_blocked_signal_interrupts_nothing),
        RUN_TEST(a_handler_is_not_interrupted_by_its_own_signal),
        RUN_TEST(a_call_that_does_not_wait_is_not_interrupted),
        RUN_TEST(eagain_needs_a_descriptor_that_does_not_block),
        RUN_TEST(eagain_never_comes_edge_triggered),
        RUN_TEST(a_signal_comes_before_errno_is_looked_at),
        RUN_TEST(calls_in_a_handler_are_marked),
        RUN_TEST(behind_a_handler_the_interrupted_call_goes_on),
        RUN_TEST(a_handler_left_by_siglongjmp_is_left),
        RUN_TEST(injection_goes_on_after_a_jump_out_of_a_read),
        RUN_TEST(injection_goes_on_after_a_jump_out_of_a_write),
        RUN_TEST(unsafe_calls_in_a_handler_are_counted),
        RUN_TEST(unsafe_calls_elsewhere_are_none),
        RUN_TEST(safe_calls_in_a_handler_are_none),
        RUN_TEST(a_handler_of_the_own_writes_sigpipe_may_do_anything),
        RUN_TEST(a_sigpipe_from_elsewhere_is_asynchronous),
        RUN_TEST(a_sigpipe_after_a_jump_out_of_a_write_is_too),
    };

    unit_begin();
    return cmocka_run_group_tests_name("interposer_signals", tests, open_script,
                                       close_program) != 0;
}
