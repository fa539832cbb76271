/* test_interposer_calls.c - the calls beside reading and writing: accept,
 * close, fork, threads, memory, options, and what a start needs. */
#include "interposer_fixture.h"

/* ---- Clients that wait ---- */

static void an_accept_counts_only_with_a_client_waiting(void **state)
{
    (void)state;
    assert_run("accept#1=EPROTO",
               "listener nonblock-listener accept client accept accept",
               "accept=EAGAIN accept=EPROTO accept=0");
}

static void a_failing_accept_leaves_the_client_queued(void **state)
{
    (void)state;
    assert_run("accept#1..2=ENFILE", "listener client accept accept4 accept",
               "accept=ENFILE accept4=ENFILE accept=0");
    assert_int_equal(program.trace->accept_errors, 2);
    assert_int_equal(program.trace->accepted, 1);
}

static void a_dropped_client_is_gone(void **state)
{
    (void)state;
    assert_run("accept#1=drop",
               "listener client accept nonblock-listener accept client accept",
               "accept=ECONNABORTED accept=EAGAIN accept=0");
}

/* ---- What costs a client ---- */

static void a_failing_close_closes(void **state)
{
    (void)state;
    assert_run("close@conn1#1=EIO", "conn close close",
               "close=EIO close=EBADF");
    assert_run("close@conn1#1=EINTR", "conn handler:USR1 close", "close=EINTR");
}

static void pthread_create_returns_its_error(void **state)
{
    (void)state;
    assert_run("pthread_create#1=EAGAIN", "thread thread",
               "thread=EAGAIN thread=0");
}

/* C11 has results of its own: -11 and -12 stand for thrd_error, thrd_nomem. */
static void thrd_create_fails_by_its_own_results(void **state)
{
    (void)state;
    assert_run("pthread_create#1=EAGAIN", "c11-thread c11-thread",
               "c11-thread=-11 c11-thread=0");
    assert_run("thrd_create#2=ENOMEM", "thread c11-thread c11-thread",
               "thread=0 c11-thread=0 c11-thread=-12");
}

static void a_failing_fork_makes_no_child(void **state)
{
    (void)state;
    assert_run("fork#2=EAGAIN", "fork fork wait fork",
               "fork=0 fork=EAGAIN wait=ECHILD fork=0");
    assert_int_equal(program.trace->processes, 3);
}

static void malloc_fails_for_the_submission_only(void **state)
{
    (void)state;
    assert_run("malloc#1..=ENOMEM",
               "malloc:9 calloc:9 realloc:9 strdup getaddrinfo thread",
               "malloc=ENOMEM calloc=ENOMEM realloc=ENOMEM strdup=0 "
               "getaddrinfo=0 thread=0");
    assert_int_equal(fired(0), 3);
}

static void start_up_calls_fail(void **state)
{
    (void)state;
    assert_run("socket#1=EMFILE", "socket socket", "socket=EMFILE socket=0");
    assert_run("bind#1=EADDRINUSE", "conn",
               "listen failed: Address already in use\n");
    assert_run("listen#1=EADDRINUSE", "conn",
               "listen failed: Address already in use\n");
    assert_run("connect#1=ECONNREFUSED", "conn",
               "connect failed: Connection refused\n");
    assert_run("getaddrinfo#1=EAGAIN", "getaddrinfo getaddrinfo",
               "getaddrinfo=-2 getaddrinfo=0");
}

static void options_and_shutdown_fail(void **state)
{
    (void)state;
    assert_run("setsockopt@conn1#1=EINVAL,shutdown@conn1#1=ENOTCONN",
               "conn setsockopt setsockopt shutdown shutdown",
               "setsockopt=EINVAL setsockopt=0 shutdown=ENOTCONN shutdown=0");
}

/* ---- What else the harness may set ---- */

static void the_kernel_s_buffers_can_be_bounded(void **state)
{
    (void)state;
    prepare(NULL);
    atomic_store(&program.trace->send_buffer, 8192);
    atomic_store(&program.trace->receive_buffer, 16384);
    start("conn sndbuf rcvbuf");
    /* socket(7): the kernel doubles what it is given. */
    assert_string_equal(finish(), "sndbuf=16384 rcvbuf=32768");
}

static void pauses_take_no_time_while_they_fly(void **state)
{
    (void)state;
    prepare(NULL);
    atomic_store(&program.trace->pauses_fly_ms, 60000);
    start("usleep:50000 usleep:50000 usleep:1 conn poll:1");
    assert_string_equal(finish(), "usleep=0 usleep=0 usleep=0 poll=0");
    /* The second was let off whole; the third takes its own millisecond. */
    assert_int_equal(program.trace->pauses_fly_ms, -40000);
    assert_int_equal(program.trace->paused_ms, 100002);
}

static void so_do_waits_with_a_time_out(void **state)
{
    (void)state;
    prepare(NULL);
    atomic_store(&program.trace->waits_fly_ms, 60000);
    start("conn poll:50000 put:1 poll:50000 usleep:1");
    assert_string_equal(finish(), "poll=0 poll=1 usleep=0");
    assert_int_equal(program.trace->waits_fly_ms, -40000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_TEST(an_accept_counts_only_with_a_client_waiting),
        RUN_TEST(a_failing_accept_leaves_the_client_queued),
        RUN_TEST(a_dropped_client_is_gone),
        RUN_TEST(a_failing_close_closes),
        RUN_TEST(pthread_create_returns_its_error),
        RUN_TEST(thrd_create_fails_by_its_own_results),
        RUN_TEST(a_failing_fork_makes_no_child),
        RUN_TEST(malloc_fails_for_the_submission_only),
        RUN_TEST(start_up_calls_fail),
        RUN_TEST(options_and_shutdown_fail),
        RUN_TEST(the_kernel_s_buffers_can_be_bounded),
        RUN_TEST(pauses_take_no_time_while_they_fly),
        RUN_TEST(so_do_waits_with_a_time_out),
    };

    unit_begin();
    return cmocka_run_group_tests_name("interposer_calls", tests, open_script,
                                       close_program) != 0;
}
