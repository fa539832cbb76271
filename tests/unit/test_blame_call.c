/* test_blame_call.c - which call of a trace a verdict points at. */
#include "blame_fixture.h"

#include <signal.h>

/* ---- Failures, spins, ends ---- */

static void a_failure_on_the_connection_comes_before_others(void **state)
{
    struct trace_record *here, *elsewhere;

    (void)state;
    play.blame_conn = 1;
    here = add_failure(CALL_read, 1, ECONNRESET);
    elsewhere = add_failure(CALL_accept, 0, EMFILE);
    assert_blames_nothing(blame_find_injected);
    here->injected = elsewhere->injected = FAULT_ERRNO;
    assert_blames(blame_find_injected, here);
    play.blame_conn = 2;
    assert_blames(blame_find_injected, elsewhere);
    elsewhere->injected = FAULT_HOLD_AFTER; /* it went as it would */
    assert_blames(blame_find_injected, here);
}

static void a_spin_is_named_where_it_fails(void **state)
{
    const struct trace_record *failure = NULL;

    (void)state;
    for (int turn = 0; turn < 3; turn++) {
        at(1, add(CALL_select, 0, -1, 1));
        at(2, add(CALL_read, 1, 4, 0));
        failure = at(3, add_failure(CALL_accept, 0, EMFILE));
        at(4, add(CALL_print, 0, 2, 8));
    }
    assert_blames(blame_find_spin, failure);
}

static void or_where_it_does_not_believe_the_end(void **state)
{
    const struct trace_record *end_of_input = NULL;

    (void)state;
    for (int turn = 0; turn < 3; turn++) {
        at(1, add(CALL_poll, 0, -1, 1));
        at(2, add(CALL_shutdown, 1, 4, 0));
        end_of_input = at(3, add(CALL_read, 1, 4, 0));
        at(4, add(CALL_write, 2, 5, 8));
    }
    assert_blames(blame_find_spin, end_of_input);
}

/* Wherever it is when we look. */
static void of_two_that_say_the_same_the_first_line(void **state)
{
    const struct trace_record *first = NULL;

    (void)state;
    for (int turn = 0; turn < 3; turn++) {
        first = at(1, add(CALL_read, 1, 4, 0));
        at(2, add(CALL_waitpid, 0, -1, 0));
    }
    assert_blames(blame_find_spin, first);
    first = at(1, add(CALL_read, 1, 4, 0));
    assert_blames(blame_find_spin, first);
}

static void or_where_it_does_more_than_look(void **state)
{
    const struct trace_record *write = NULL;

    (void)state;
    for (int turn = 0; turn < 3; turn++) {
        write = at(1, add(CALL_write, 1, 4, 1));
        at(2, add(CALL_print, 0, 2, 8));
        at(3, add(CALL_poll, 0, -1, 1));
    }
    assert_blames(blame_find_spin, write);
}

static void death_by_sigpipe_is_the_write(void **state)
{
    struct trace_record *write;

    (void)state;
    program.status = SIGPIPE;
    assert_blames_nothing(blame_find_death);
    write = add(CALL_send, 1, 4, 0);
    assert_blames_nothing(blame_find_death);
    atomic_store(&write->returned, 0);
    assert_blames(blame_find_death, write);
}

static void an_exit_is_the_first_process_s(void **state)
{
    const struct trace_record *exited;

    (void)state;
    program.status = EXITED(1);
    add_failure(CALL_accept, 0, ECONNABORTED);
    exited = add(CALL_exit, 0, -1, 0);
    by(CHILD, CHILD, add(CALL__exit, 0, -1, 0));
    assert_blames(blame_find_death, exited);
}

static void without_one_the_failure_right_before(void **state)
{
    const struct trace_record *failure;

    (void)state;
    program.status = EXITED(1);
    failure = add_failure(CALL_accept, 0, ECONNABORTED);
    add(CALL_close, 0, 3, 0);
    assert_blames(blame_find_death, failure);
}

static void a_wait_for_what_is_closed_is_the_close(void **state)
{
    const struct trace_record *closed;

    (void)state;
    program.status = EXITED(1);
    closed = add(CALL_close, 1, 4, 0);
    add_failure(CALL_select, 0, EBADF);
    add(CALL_exit, 0, -1, 0);
    assert_blames(blame_find_death, closed);
}

static void of_failures_right_before_it_is_the_newest(void **state)
{
    const struct trace_record *failure;

    (void)state;
    program.status = EXITED(1);
    add_failure(CALL_setsockopt, 0, EINVAL);
    failure = add_failure(CALL_accept, 0, ECONNABORTED);
    add(CALL_close, 0, 3, 0);
    assert_blames(blame_find_death, failure);
}

static void or_what_was_made_to_fail_before_a_good_end(void **state)
{
    struct trace_record *injected;

    (void)state;
    injected = add(CALL_read, 1, 4, 1);
    injected->injected = FAULT_SHORT;
    for (int call = 0; call < 20; call++)
        add(CALL_write, 1, 4, 1);
    assert_blames(blame_find_death, injected);
}

static void a_wait_that_fails_otherwise_is_not_about_a_close(void **state)
{
    const struct trace_record *exited;

    (void)state;
    program.status = EXITED(1);
    add(CALL_close, 1, 4, 0);
    add_failure(CALL_select, 0, EINVAL);
    exited = add(CALL_exit, 0, -1, 0);
    assert_blames(blame_find_death, exited);
}

static void nor_is_another_call_on_a_closed_descriptor(void **state)
{
    const struct trace_record *exited;

    (void)state;
    program.status = EXITED(1);
    add(CALL_close, 1, 4, 0);
    add_failure(CALL_read, 0, EBADF);
    exited = add(CALL_exit, 0, -1, 0);
    assert_blames(blame_find_death, exited);
}

static void a_signal_is_the_kill_that_sent_it(void **state)
{
    struct trace_record *sent, *other;

    (void)state;
    program.status = SIGUSR1;
    sent = add(CALL_kill, 0, -1, 0);
    sent->arg[1] = SIGUSR1;
    other = add(CALL_kill, 0, -1, 0);
    other->arg[1] = SIGCHLD;
    assert_blames(blame_find_death, sent);
}

static void a_child_s_exit_is_found_where_it_is_asked_for(void **state)
{
    const struct trace_record *exited;

    (void)state;
    exited = by(CHILD, CHILD, add(CALL__exit, 0, -1, 0));
    add(CALL_exit, 0, -1, 0);
    assert_blames(blame_find_childs_exit, exited);
}

/* ---- Hangs ---- */

/* A thread of ours, in a call that has not returned. */
static const struct trace_record *block(enum call_id call, int thread, int conn)
{
    uint32_t number = atomic_fetch_add(&program.trace->threads, 1);
    struct trace_thread *slot = &program.trace->thread[number];
    struct trace_record *record = add(call, conn, 4, 0);

    program.pid = getpid();
    by(program.pid, FIRST + thread, record);
    atomic_store(&record->returned, 0);
    slot->pid = program.pid;
    slot->thread = (uint16_t)thread;
    atomic_store(&slot->tid, FIRST + thread);
    atomic_store(&slot->conn, conn);
    atomic_store(&slot->call, call);
    return record;
}

static void a_hang_is_where_the_connection_is_served(void **state)
{
    const struct trace_record *served;

    (void)state;
    play.blame_conn = 2;
    block(CALL_pthread_join, 1, 0);
    served = block(CALL_read, 2, 2);
    block(CALL_read, 3, 1);
    assert_blames(blame_find_blocked, served);
}

static void or_where_its_end_is_waited_for(void **state)
{
    const struct trace_record *joins;

    (void)state;
    play.blame_conn = 3;
    block(CALL_read, 2, 1);
    joins = block(CALL_pthread_join, 3, 0);
    block(CALL_read, 1, 2);
    assert_blames(blame_find_blocked, joins);
}

static void or_where_the_first_thread_serves_another(void **state)
{
    const struct trace_record *first;

    (void)state;
    play.blame_conn = 3;
    block(CALL_accept, 3, 0);
    block(CALL_read, 2, 1);
    first = block(CALL_read, 1, 2);
    assert_blames(blame_find_blocked, first);
}

static void what_is_not_the_submission_s_own_is_never_named(void **state)
{
    (void)state;
    play.blame_conn = 1;
    program.status = EXITED(1);
    add_failure(CALL_read, 1, ECONNRESET)->caller[0] = 0;
    add(CALL_exit, 0, -1, 0)->caller[0] = 0;
    assert_blames_nothing(blame_find_flow);
    assert_blames_nothing(blame_find_death);
    assert_blames_nothing(blame_find_spin);
    assert_blames_nothing(blame_find_start);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BLAME_TEST(a_failure_on_the_connection_comes_before_others),
        BLAME_TEST(a_spin_is_named_where_it_fails),
        BLAME_TEST(or_where_it_does_not_believe_the_end),
        BLAME_TEST(of_two_that_say_the_same_the_first_line),
        BLAME_TEST(or_where_it_does_more_than_look),
        BLAME_TEST(death_by_sigpipe_is_the_write),
        BLAME_TEST(an_exit_is_the_first_process_s),
        BLAME_TEST(without_one_the_failure_right_before),
        BLAME_TEST(a_wait_for_what_is_closed_is_the_close),
        BLAME_TEST(of_failures_right_before_it_is_the_newest),
        BLAME_TEST(or_what_was_made_to_fail_before_a_good_end),
        BLAME_TEST(a_wait_that_fails_otherwise_is_not_about_a_close),
        BLAME_TEST(nor_is_another_call_on_a_closed_descriptor),
        BLAME_TEST(a_signal_is_the_kill_that_sent_it),
        BLAME_TEST(a_child_s_exit_is_found_where_it_is_asked_for),
        BLAME_TEST(a_hang_is_where_the_connection_is_served),
        BLAME_TEST(or_where_its_end_is_waited_for),
        BLAME_TEST(or_where_the_first_thread_serves_another),
        BLAME_TEST(what_is_not_the_submission_s_own_is_never_named),
    };

    unit_begin();
    return cmocka_run_group_tests_name("blame_call", tests, NULL, NULL) != 0;
}
