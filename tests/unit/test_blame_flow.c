/* test_blame_flow.c - which call a verdict about a connection's bytes points
 * at. */
#include "blame_fixture.h"

#include <sys/socket.h>

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

static void what_gave_too_much_is_the_write(void **state)
{
    const struct trace_record *write;

    (void)state;
    play.blame_conn = 1;
    add(CALL_read, 1, 4, 4);
    write = add(CALL_write, 1, 4, 8);
    add(CALL_read, 1, 4, 0);
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

static void an_end_with_all_echoed_is_not_too_early(void **state)
{
    (void)state;
    play.blame_conn = 1;
    add(CALL_read, 1, 4, 8);
    add(CALL_write, 1, 4, 8);
    add(CALL_read, 1, 4, 0);
    add(CALL_close, 1, 4, 0);
    assert_blames_nothing(blame_find_early_end);
}

static void a_reset_is_what_was_set_for_it(void **state)
{
    struct trace_record *set;

    (void)state;
    play.blame_conn = 1;
    set = add(CALL_setsockopt, 0, 3, 0); /* inherited from who listens */
    set->arg[0] = SOL_SOCKET;
    set->arg[1] = SO_LINGER;
    add(CALL_close, 1, 4, 0);
    assert_blames(blame_find_reset, set);
    set->conn = 2; /* another's */
    assert_blames_nothing(blame_find_reset);
}

static void a_wrong_byte_is_the_write(void **state)
{
    const struct trace_record *write;

    (void)state;
    play.blame_conn = 1;
    add(CALL_read, 1, 4, 8);
    write = add(CALL_write, 1, 4, 8);
    add(CALL_read, 1, 4, 8);
    assert_blames(blame_find_bytes, write);
}

static void the_last_on_a_connection_neither_takes_nor_ends_it(void **state)
{
    const struct trace_record *read;

    (void)state;
    play.blame_conn = 1;
    add(CALL_accept, 1, 3, 4);
    read = add(CALL_read, 1, 4, 8);
    add(CALL_setsockopt, 1, 4, 0);
    add(CALL_close, 1, 4, 0);
    add(CALL_read, 2, 5, 8);
    assert_blames(blame_find_last_on, read);
}

static void without_one_it_is_the_wait_before_its_close(void **state)
{
    const struct trace_record *wait;

    (void)state;
    play.blame_conn = 1;
    add(CALL_accept, 1, 3, 4);
    wait = add(CALL_select, 0, -1, 1);
    add(CALL_read, 2, 5, 8);
    add(CALL_close, 1, 4, 0);
    assert_blames(blame_find_last_on, wait);
}

static void or_the_close_of_what_was_turned_away(void **state)
{
    const struct trace_record *closed;

    (void)state;
    play.blame_conn = 1;
    add(CALL_select, 0, -1, 1);
    add(CALL_accept, 1, 3, 4);
    closed = add(CALL_close, 1, 4, 0);
    assert_blames(blame_find_last_on, closed);
}

/* ---- Clients ---- */

/* A client, whose user has not ended. */
static struct peer user;

static struct trace_record *half_close(void)
{
    struct trace_record *record;

    user = (struct peer){.kind = PEER_USER};
    play.peer[0] = &user;
    play.peers = 1;
    play.blame_conn = 1;
    add(CALL_read, 0, 0, 5);
    record = add(CALL_shutdown, 1, 3, 0);
    record->arg[0] = SHUT_WR;
    return record;
}

static void a_client_that_ends_too_early_is_named_where_it_says_so(void **state)
{
    const struct trace_record *said;

    (void)state;
    said = half_close();
    add(CALL_read, 1, 3, 0);
    half_close();
    add(CALL_exit, 0, -1, 0);
    assert_blames(blame_find_death, said);
}

static void or_where_it_ends_if_its_user_has_ended(void **state)
{
    const struct trace_record *exited;

    (void)state;
    half_close();
    user.half_close = true;
    exited = add(CALL_exit, 0, -1, 0);
    assert_blames(blame_find_death, exited);
}

static void or_if_it_says_that_it_failed(void **state)
{
    const struct trace_record *exited;

    (void)state;
    program.status = EXITED(1);
    half_close();
    exited = add(CALL_exit, 0, -1, 0);
    assert_blames(blame_find_death, exited);
}

static void or_if_the_server_ended_first(void **state)
{
    const struct trace_record *exited;

    (void)state;
    add(CALL_read, 1, 3, 0);
    half_close();
    exited = add(CALL_exit, 0, -1, 0);
    assert_blames(blame_find_death, exited);
}

static void or_if_a_call_was_made_to_fail(void **state)
{
    const struct trace_record *exited;

    (void)state;
    add_failure(CALL_malloc, 0, ENOMEM)->injected = FAULT_ERRNO;
    half_close();
    exited = add(CALL_exit, 0, -1, 0);
    assert_blames(blame_find_death, exited);
}

static void what_is_no_half_close_of_it_is_not_its_end(void **state)
{
    const struct trace_record *exited;

    (void)state;
    half_close()->arg[0] = SHUT_RD;
    half_close()->conn = 2;
    half_close()->result = -1;
    exited = add(CALL_exit, 0, -1, 0);
    assert_blames(blame_find_death, exited);
}

/* All that was typed has gone out, and some of it came back. */
static void echo_to_user(int read, int received)
{
    user = (struct peer){.kind = PEER_USER, .sent = 8};
    user.received = (uint64_t)received;
    play.peer[0] = &user;
    play.peers = 1;
    play.blame_conn = 1;
    add(CALL_write, 1, 3, 8);
    add(CALL_read, 1, 3, read);
}

static void bytes_that_do_not_come_out_are_the_output_s(void **state)
{
    const struct trace_record *printed;

    (void)state;
    echo_to_user(8, 5);
    printed = add(CALL_print, 0, 1, 5);
    add(CALL_print, 0, 2, 8);
    assert_blames(blame_find_kept_back, printed);
    assert_blames(blame_find_bytes, printed);
}

static void or_the_write_s_while_some_has_not_gone_out(void **state)
{
    const struct trace_record *write = &program.trace->record[1];

    (void)state;
    echo_to_user(8, 5);
    user.sent = 10;
    add(CALL_print, 0, 1, 5);
    assert_blames(blame_find_bytes, write);
}

static void what_has_come_out_was_not_kept_back(void **state)
{
    (void)state;
    echo_to_user(5, 5);
    add(CALL_print, 0, 1, 5);
    assert_blames_nothing(blame_find_kept_back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BLAME_TEST(what_gave_too_little_is_the_write),
        BLAME_TEST(what_gave_too_much_is_the_write),
        BLAME_TEST(what_was_kept_back_is_the_read),
        BLAME_TEST(a_hang_with_all_echoed_is_not_about_bytes),
        BLAME_TEST(an_end_that_was_found_too_early_is_the_read),
        BLAME_TEST(or_the_close_by_another_thread),
        BLAME_TEST(an_end_with_all_echoed_is_not_too_early),
        BLAME_TEST(a_reset_is_what_was_set_for_it),
        BLAME_TEST(a_wrong_byte_is_the_write),
        BLAME_TEST(the_last_on_a_connection_neither_takes_nor_ends_it),
        BLAME_TEST(without_one_it_is_the_wait_before_its_close),
        BLAME_TEST(or_the_close_of_what_was_turned_away),
        BLAME_TEST(a_client_that_ends_too_early_is_named_where_it_says_so),
        BLAME_TEST(or_where_it_ends_if_its_user_has_ended),
        BLAME_TEST(or_if_it_says_that_it_failed),
        BLAME_TEST(or_if_the_server_ended_first),
        BLAME_TEST(or_if_a_call_was_made_to_fail),
        BLAME_TEST(what_is_no_half_close_of_it_is_not_its_end),
        BLAME_TEST(bytes_that_do_not_come_out_are_the_output_s),
        BLAME_TEST(or_the_write_s_while_some_has_not_gone_out),
        BLAME_TEST(what_has_come_out_was_not_kept_back),
    };

    unit_begin();
    return cmocka_run_group_tests_name("blame_flow", tests, NULL, NULL) != 0;
}
