/* test_blame_state.c - which call a verdict about what the kernel shows points
 * at. */
#include "blame_fixture.h"

#include <signal.h>

/* ---- A connection that is still held ---- */

static void hold_connection_1(void)
{
    play.blame_conn = 1;
    play.blame_pid = FIRST;
}

static void a_wrong_close_at_the_end_is_named(void **state)
{
    const struct trace_record *wrong;

    (void)state;
    hold_connection_1();
    add(CALL_read, 1, 4, 0);
    by(FIRST, FIRST + 1, add(CALL_close, 2, 5, 0));
    wrong = add(CALL_close, 0, 0, 0);
    add(CALL_accept, 3, 5, 5);
    assert_blames(blame_find_holder, wrong);
}

static void a_wrong_close_at_a_failure_as_well(void **state)
{
    const struct trace_record *wrong;

    (void)state;
    hold_connection_1();
    add_failure(CALL_write, 1, ECONNRESET);
    wrong = add(CALL_close, 2, 5, 0);
    assert_blames(blame_find_holder, wrong);
}

static void another_thread_s_close_is_not_its(void **state)
{
    const struct trace_record *read;

    (void)state;
    hold_connection_1();
    read = add(CALL_read, 1, 4, 0);
    by(FIRST, FIRST + 1, add(CALL_close, 2, 5, 0));
    assert_blames(blame_find_holder, read);
}

static void a_close_after_more_than_the_end_is_another_matter(void **state)
{
    const struct trace_record *read;

    (void)state;
    hold_connection_1();
    read = add(CALL_read, 1, 4, 0);
    add(CALL_select, 0, -1, 1);
    add(CALL_close, 2, 5, 0);
    assert_blames(blame_find_holder, read);
}

static void a_close_after_bytes_is_another_matter(void **state)
{
    const struct trace_record *read;

    (void)state;
    hold_connection_1();
    read = add(CALL_read, 1, 4, 5);
    add(CALL_close, 2, 5, 0);
    assert_blames(blame_find_holder, read);
}

static void what_failed_right_behind_the_accept_is_named(void **state)
{
    struct trace_record *failure;

    (void)state;
    hold_connection_1();
    add(CALL_accept, 1, 3, 4);
    failure = add_failure(CALL_fork, 0, EAGAIN);
    failure->injected = FAULT_ERRNO;
    assert_blames(blame_find_holder, failure);
}

static void another_thread_s_failure_is_not_its(void **state)
{
    const struct trace_record *accepted;

    (void)state;
    hold_connection_1();
    accepted = add(CALL_accept, 1, 3, 4);
    by(FIRST, FIRST + 1, add_failure(CALL_pthread_create, 0, EAGAIN));
    assert_blames(blame_find_holder, accepted);
}

/* ---- Descriptors ---- */

static void a_descriptor_is_named_at_its_last_call(void **state)
{
    const struct trace_record *last;

    (void)state;
    play.blame_fd = 4;
    add(CALL_accept, 1, 3, 4);
    last = add(CALL_read, 1, 4, 0);
    by(CHILD, CHILD, add(CALL_close, 1, 4, 0));
    add(CALL_accept, 2, 3, 5);
    assert_blames(blame_find_descriptor, last);
}

static void or_where_it_was_made(void **state)
{
    const struct trace_record *made;

    (void)state;
    play.blame_fd = 4;
    add(CALL_read, 1, 4, 0);
    add(CALL_close, 1, 4, 0);
    made = add(CALL_dup, 0, 5, 4);
    assert_blames(blame_find_descriptor, made);
}

/* ---- Who may not come in ---- */

static void a_refusal_is_named_where_the_listener_was_closed(void **state)
{
    const struct trace_record *closed;

    (void)state;
    add(CALL_bind, 0, 3, 0);
    add(CALL_listen, 0, 3, 0);
    add(CALL_accept, 1, 3, 4);
    by(CHILD, CHILD, add(CALL_close, 0, 3, 0));
    closed = add(CALL_close, 0, 3, 0);
    assert_blames(blame_find_listener, closed);
}

static void or_at_the_bind(void **state)
{
    const struct trace_record *bound;

    (void)state;
    assert_blames_nothing(blame_find_listener);
    bound = add(CALL_bind, 0, 3, 0);
    add(CALL_listen, 0, 3, 0);
    add(CALL_close, 0, 4, 0);
    assert_blames(blame_find_listener, bound);
    assert_blames(blame_find_start, bound);
}

static void what_never_listened_is_not_closed(void **state)
{
    const struct trace_record *closed;

    (void)state;
    add(CALL_bind, 0, 3, 0);
    add(CALL_listen, 0, 3, 0);
    closed = add(CALL_close, 0, 3, 0);
    add(CALL_bind, 0, 4, 0);
    add(CALL_listen, 0, 4, -1);
    assert_blames(blame_find_listener, closed);
}

static void a_failure_that_was_not_heeded_comes_first(void **state)
{
    const struct trace_record *failure;

    (void)state;
    failure = add_failure(CALL_socket, 0, EMFILE);
    add(CALL_bind, 0, -1, 0);
    add_failure(CALL_read, 0, EAGAIN);
    assert_blames(blame_find_start, failure);
}

/* ---- Memory, lines, ends, children ---- */

static void on_sigchld(int signal)
{
    (void)signal;
}

static void memory_is_the_place_that_asked_for_nearly_all(void **state)
{
    struct trace_record *large, *small;

    (void)state;
    small = add(CALL_malloc, 0, -1, 1);
    small->arg[0] = 16;
    large = add(CALL_calloc, 0, -1, 1);
    large->arg[0] = 1024;
    large->arg[1] = 1024;
    assert_blames(blame_find_allocation, large);
    small->arg[0] = 1 << 20;
    assert_blames_nothing(blame_find_allocation);
}

static void a_missing_line_is_the_break_that_nothing_was_said_of(void **state)
{
    const struct trace_record *broke, *said;

    (void)state;
    said = add(CALL_print, 0, 1, 8);
    assert_blames(blame_find_line, said);
    broke = add_failure(CALL_write, 1, EPIPE);
    assert_blames(blame_find_line, broke);
    said = add(CALL_print, 0, 1, 8);
    assert_blames(blame_find_line, said);
}

static void or_the_end_that_leaves_it_in_the_buffer(void **state)
{
    const struct trace_record *exited;

    (void)state;
    add(CALL_print, 0, 1, 8);
    exited = add(CALL__exit, 0, -1, 0);
    assert_blames(blame_find_line, exited);
}

static void a_line_about_a_child_is_told_at_the_wait_before_it(void **state)
{
    struct trace_record *waited;

    (void)state;
    add(CALL_print, 0, 1, 8);
    assert_blames_nothing(blame_find_status);
    waited = add(CALL_waitpid, 0, -1, CHILD);
    assert_blames_nothing(blame_find_status); /* nothing is said of it */
    add(CALL_write, 0, 1, 8);
    assert_blames(blame_find_status, waited);
    waited->result = 0; /* all were waited for */
    assert_blames_nothing(blame_find_status);
    waited->result = CHILD;
    by(CHILD, CHILD, add(CALL_write, 0, 1, 8)); /* it speaks for itself */
    assert_blames_nothing(blame_find_status);
}

static void a_lost_errno_is_the_handler_s(void **state)
{
    struct trace_record *in_handler;

    (void)state;
    in_handler = add_failure(CALL_waitpid, 0, ECHILD);
    add_failure(CALL_accept, 0, EMFILE);
    assert_blames_nothing(blame_find_spoiler);
    in_handler->in_handler = 1;
    add(CALL_write, 0, 1, 8)->in_handler = 1;
    assert_blames(blame_find_spoiler, in_handler);
}

static void a_wake_up_is_the_wait_that_ended(void **state)
{
    const struct trace_record *paused;

    (void)state;
    paused = add(CALL_usleep, 0, -1, 0);
    atomic_store(&add(CALL_select, 0, -1, 0)->returned, 0);
    assert_blames(blame_find_wake, paused);
}

static void a_thread_too_many_is_where_it_was_made(void **state)
{
    const struct trace_record *made;

    (void)state;
    made = add(CALL_pthread_create, 0, -1, 0);
    add(CALL_pthread_detach, 0, -1, 0);
    assert_blames(blame_find_thread, made);
}

static void an_end_that_does_not_come_is_what_should_have_been_it(void **state)
{
    const struct trace_record *end_of_input;

    (void)state;
    end_of_input = add(CALL_read, 1, 3, 0);
    add(CALL_read, 1, 3, 5);
    add_failure(CALL_read, 1, EAGAIN);
    assert_blames(blame_find_end, end_of_input);
}

static void a_handler_that_is_gone_again_left_the_zombie(void **state)
{
    struct trace_record *set;

    (void)state;
    program.pid = getpid();
    set = by(program.pid, program.pid, add(CALL_signal, 0, -1, 0));
    set->arg[0] = SIGCHLD;
    by(program.pid, program.pid, add(CALL_waitpid, 0, -1, 0));
    assert_blames(blame_find_reaper, set);
}

static void with_a_handler_it_was_the_wait(void **state)
{
    struct trace_record *set;
    const struct trace_record *wait;

    (void)state;
    signal(SIGCHLD, on_sigchld);
    program.pid = getpid();
    set = by(program.pid, program.pid, add(CALL_signal, 0, -1, 0));
    set->arg[0] = SIGCHLD;
    wait = by(program.pid, program.pid, add(CALL_waitpid, 0, -1, 0));
    assert_blames(blame_find_reaper, wait);
    signal(SIGCHLD, SIG_DFL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BLAME_TEST(a_wrong_close_at_the_end_is_named),
        BLAME_TEST(a_wrong_close_at_a_failure_as_well),
        BLAME_TEST(another_thread_s_close_is_not_its),
        BLAME_TEST(a_close_after_more_than_the_end_is_another_matter),
        BLAME_TEST(a_close_after_bytes_is_another_matter),
        BLAME_TEST(what_failed_right_behind_the_accept_is_named),
        BLAME_TEST(another_thread_s_failure_is_not_its),
        BLAME_TEST(a_descriptor_is_named_at_its_last_call),
        BLAME_TEST(or_where_it_was_made),
        BLAME_TEST(a_refusal_is_named_where_the_listener_was_closed),
        BLAME_TEST(or_at_the_bind),
        BLAME_TEST(what_never_listened_is_not_closed),
        BLAME_TEST(a_failure_that_was_not_heeded_comes_first),
        BLAME_TEST(memory_is_the_place_that_asked_for_nearly_all),
        BLAME_TEST(a_missing_line_is_the_break_that_nothing_was_said_of),
        BLAME_TEST(or_the_end_that_leaves_it_in_the_buffer),
        BLAME_TEST(a_line_about_a_child_is_told_at_the_wait_before_it),
        BLAME_TEST(a_lost_errno_is_the_handler_s),
        BLAME_TEST(a_wake_up_is_the_wait_that_ended),
        BLAME_TEST(a_thread_too_many_is_where_it_was_made),
        BLAME_TEST(an_end_that_does_not_come_is_what_should_have_been_it),
        BLAME_TEST(a_handler_that_is_gone_again_left_the_zombie),
        BLAME_TEST(with_a_handler_it_was_the_wait),
    };

    unit_begin();
    return cmocka_run_group_tests_name("blame_state", tests, NULL, NULL) != 0;
}
