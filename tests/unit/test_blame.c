/* test_blame.c - which call of a trace a verdict points at. */
#include "unit.h"

#include "../../harness/blame_internal.h"

#include <errno.h>
#include <signal.h>

#define FIRST          100 /* the program's first process, and its first thread */
#define CHILD          200
#define EXITED(status) ((status) << 8) /* wait(2) */

static struct program program;
static struct play play;
static int trace_fd;

static int begin(void **state)
{
    (void)state;
    memset(&play, 0, sizeof(play));
    program = (struct program){.pid = FIRST};
    play.program = &program;
    trace_fd = trace_create(&program.trace);
    return trace_fd < 0 ? -1 : 0;
}

static int end(void **state)
{
    (void)state;
    trace_unmap(program.trace);
    return close(trace_fd);
}

/* A call of the first thread, at a line of its own. */
static struct trace_record *add(enum call_id call, int conn, int fd,
                                int64_t result)
{
    struct trace *trace = program.trace;
    uint32_t serial = atomic_fetch_add(&trace->entries, 1) + 1;
    struct trace_record *record = &trace->record[serial % TRACE_RECORDS];

    record->call = (uint16_t)call;
    record->pid = record->tid = FIRST;
    record->conn = conn;
    record->fd = fd;
    record->result = result;
    record->caller[0] = serial;
    atomic_store(&record->returned, atomic_fetch_add(&trace->seq, 1) + 1);
    atomic_store(&record->serial, serial);
    return record;
}

static struct trace_record *add_failure(enum call_id call, int conn, int error)
{
    struct trace_record *record = add(call, conn, 3, -1);

    record->error = error;
    return record;
}

static struct trace_record *by(int pid, int tid, struct trace_record *record)
{
    record->pid = pid;
    record->tid = tid;
    return record;
}

typedef bool finder(struct play *play, struct trace_record *record);

static void assert_blames(finder *find, const struct trace_record *expected)
{
    struct trace_record found;

    assert_true(find(&play, &found));
    assert_int_equal(found.serial, expected->serial);
}

static void assert_blames_nothing(finder *find)
{
    struct trace_record found;

    assert_false(find(&play, &found));
}

/* ---- A connection that is still held ---- */

static void hold_connection_1(void)
{
    play.blame_conn = 1;
    play.blame_pid = FIRST;
}

static void
who_finds_the_end_and_closes_something_else_is_named_there(void **state)
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

static void who_finds_a_failure_and_closes_something_else_as_well(void **state)
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

static void a_failure_that_was_not_heeded_comes_first(void **state)
{
    const struct trace_record *failure;

    (void)state;
    failure = add_failure(CALL_socket, 0, EMFILE);
    add(CALL_bind, 0, -1, 0);
    add_failure(CALL_read, 0, EAGAIN);
    assert_blames(blame_find_start, failure);
}

/* ---- The bytes of a connection ---- */

static void what_gave_too_little_is_the_write(void **state)
{
    const struct trace_record *write;

    (void)state;
    play.blame_conn = 1;
    add(CALL_read, 1, 4, 8);
    write = add(CALL_write, 1, 4, 5);
    add(CALL_read, 2, 5, 8);
    assert_blames(blame_find_flow, write);
}

static void what_was_kept_back_is_the_read(void **state)
{
    const struct trace_record *read;

    (void)state;
    play.blame_conn = 1;
    add(CALL_read, 1, 4, 4);
    add(CALL_write, 1, 4, 4);
    read = add(CALL_read, 1, 4, 8);
    assert_blames(blame_find_flow, read);
}

static void a_hang_with_all_echoed_is_not_about_bytes(void **state)
{
    (void)state;
    play.blame_conn = 1;
    play.hangs = true;
    add(CALL_read, 1, 4, 4);
    add(CALL_write, 1, 4, 4);
    assert_blames_nothing(blame_find_flow);
}

static void an_end_that_was_found_too_early_is_the_read(void **state)
{
    const struct trace_record *end_of_input;

    (void)state;
    play.blame_conn = 1;
    add(CALL_read, 1, 4, 8);
    end_of_input = add(CALL_read, 1, 4, 0);
    add(CALL_close, 1, 4, 0);
    assert_blames(blame_find_early_end, end_of_input);
}

static void or_the_close_by_another_thread(void **state)
{
    const struct trace_record *closed;

    (void)state;
    play.blame_conn = 1;
    by(FIRST, FIRST + 1, add(CALL_read, 1, 4, 8));
    by(FIRST, FIRST + 1, add(CALL_write, 1, 4, 8));
    closed = add(CALL_close, 1, 4, 0);
    assert_blames(blame_find_early_end, closed);
}

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
        add(CALL_select, 0, -1, 1);
        add(CALL_read, 1, 4, 0);
        failure = add_failure(CALL_accept, 0, EMFILE);
        add(CALL_print, 0, 2, 8);
    }
    assert_blames(blame_find_spin, failure);
}

static void or_where_it_does_not_believe_the_end(void **state)
{
    const struct trace_record *end_of_input = NULL;

    (void)state;
    for (int turn = 0; turn < 3; turn++) {
        add(CALL_poll, 0, -1, 1);
        end_of_input = add(CALL_read, 1, 4, 0);
        add(CALL_write, 2, 5, 8);
    }
    assert_blames(blame_find_spin, end_of_input);
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

/* A user has typed 10 bytes; so many of them are sent. */
static const struct trace_record *half_close_after(int sent)
{
    static struct peer user = {.kind = PEER_USER, .sent = 10};

    play.peer[0] = &user;
    play.peers = 1;
    play.blame_conn = 1;
    add(CALL_write, 1, 3, sent);
    return add(CALL_shutdown, 1, 3, 0);
}

static void a_client_that_ends_too_early_is_named_where_it_says_so(void **state)
{
    const struct trace_record *said;

    (void)state;
    said = half_close_after(5);
    add(CALL_exit, 0, -1, 0);
    assert_blames(blame_find_death, said);
}

static void or_where_it_ends_with_all_sent(void **state)
{
    const struct trace_record *exited;

    (void)state;
    half_close_after(10);
    exited = add(CALL_exit, 0, -1, 0);
    assert_blames(blame_find_death, exited);
}

static void or_with_a_status_that_says_that_it_failed(void **state)
{
    const struct trace_record *exited;

    (void)state;
    program.status = EXITED(1);
    half_close_after(5);
    exited = add(CALL_exit, 0, -1, 0);
    assert_blames(blame_find_death, exited);
}

/* ---- What the kernel shows ---- */

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

static void a_lost_errno_is_the_handler_s(void **state)
{
    struct trace_record *in_handler;

    (void)state;
    in_handler = add_failure(CALL_waitpid, 0, ECHILD);
    add_failure(CALL_accept, 0, EMFILE);
    assert_blames_nothing(blame_find_spoiler);
    in_handler->in_handler = 1;
    assert_blames(blame_find_spoiler, in_handler);
}

static void what_is_not_the_submission_s_own_is_never_named(void **state)
{
    (void)state;
    hold_connection_1();
    program.status = EXITED(1);
    add_failure(CALL_read, 1, ECONNRESET)->caller[0] = 0;
    add(CALL_exit, 0, -1, 0)->caller[0] = 0;
    assert_blames_nothing(blame_find_holder);
    assert_blames_nothing(blame_find_flow);
    assert_blames_nothing(blame_find_death);
    assert_blames_nothing(blame_find_spin);
    assert_blames_nothing(blame_find_start);
}

#define BLAME_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BLAME_TEST(who_finds_the_end_and_closes_something_else_is_named_there),
        BLAME_TEST(who_finds_a_failure_and_closes_something_else_as_well),
        BLAME_TEST(another_thread_s_close_is_not_its),
        BLAME_TEST(a_close_after_more_than_the_end_is_another_matter),
        BLAME_TEST(a_close_after_bytes_is_another_matter),
        BLAME_TEST(what_failed_right_behind_the_accept_is_named),
        BLAME_TEST(a_descriptor_is_named_at_its_last_call),
        BLAME_TEST(or_where_it_was_made),
        BLAME_TEST(a_refusal_is_named_where_the_listener_was_closed),
        BLAME_TEST(or_at_the_bind),
        BLAME_TEST(a_failure_that_was_not_heeded_comes_first),
        BLAME_TEST(what_gave_too_little_is_the_write),
        BLAME_TEST(what_was_kept_back_is_the_read),
        BLAME_TEST(a_hang_with_all_echoed_is_not_about_bytes),
        BLAME_TEST(an_end_that_was_found_too_early_is_the_read),
        BLAME_TEST(or_the_close_by_another_thread),
        BLAME_TEST(a_failure_on_the_connection_comes_before_others),
        BLAME_TEST(a_spin_is_named_where_it_fails),
        BLAME_TEST(or_where_it_does_not_believe_the_end),
        BLAME_TEST(death_by_sigpipe_is_the_write),
        BLAME_TEST(an_exit_is_the_first_process_s),
        BLAME_TEST(without_one_the_failure_right_before),
        BLAME_TEST(a_wait_for_what_is_closed_is_the_close),
        BLAME_TEST(a_client_that_ends_too_early_is_named_where_it_says_so),
        BLAME_TEST(or_where_it_ends_with_all_sent),
        BLAME_TEST(or_with_a_status_that_says_that_it_failed),
        BLAME_TEST(memory_is_the_place_that_asked_for_nearly_all),
        BLAME_TEST(a_missing_line_is_the_break_that_nothing_was_said_of),
        BLAME_TEST(or_the_end_that_leaves_it_in_the_buffer),
        BLAME_TEST(a_lost_errno_is_the_handler_s),
        BLAME_TEST(what_is_not_the_submission_s_own_is_never_named),
    };

    unit_begin();
    return cmocka_run_group_tests_name("blame", tests, NULL, NULL) != 0;
}
