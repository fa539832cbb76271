/* test_peer_kinds.c - peers that are no client: a server of the harness, and
 * the user at a pipe or a terminal. */
#include "peer_fixture.h"

#include <pty.h>

/* ---- A server: `peer` is the client, `server` answers it ---- */

static struct peer server;

static void answer(enum peer_answer how)
{
    memset(&server, 0, sizeof(server));
    server.number = 2;
    peer_accepted(&server, far, how);
}

static int close_server(void **state)
{
    peer_release(&server);
    far = -1;
    return close_all(state);
}

#define PUMP_BOTH_UNTIL(condition)                                             \
    REPEAT_UNTIL(peer_pump(&peer) + peer_pump(&server), condition)

static void a_server_that_says_nothing_takes_all(void **state)
{
    (void)state;
    answer(ANSWER_NOTHING);
    peer_queue_pattern(&peer, MIB);
    PUMP_BOTH_UNTIL(server.received == MIB);
    assert_int_equal(peer.received, 0);
    assert_int_equal(server.port, port);
    assert_int_equal(server.remote_port, peer.port);
}

static void an_echo_server_sends_all_back(void **state)
{
    (void)state;
    answer(ANSWER_ECHO);
    peer_queue_pattern(&peer, MIB);
    PUMP_BOTH_UNTIL(peer.received == MIB);
    assert_false(peer.differs);
}

static void a_server_closes_behind_its_answer(void **state)
{
    (void)state;
    answer(ANSWER_ECHO);
    server.half_close = peer.half_close = true;
    peer_queue_pattern(&peer, MIB);
    PUMP_BOTH_UNTIL(peer.eof && server.eof);
    assert_int_equal(peer.received, MIB);
}

static void an_answer_in_pieces_is_all_of_it(void **state)
{
    (void)state;
    answer(ANSWER_PIECES);
    peer_queue_pattern(&peer, 10000);
    PUMP_BOTH_UNTIL(peer.received == 10000);
    assert_false(peer.differs);
    assert_in_range(server.piece, 10000 / 8, 10000);
}

static void a_blocking_server_reads_no_more_while_it_owes(void **state)
{
    (void)state;
    answer(ANSWER_BLOCKING);
    peer.reading = false;
    peer_queue_pattern(&peer, 64 * MIB);
    PUMP_BOTH_UNTIL(server.held_len > 0 && unread_bytes(server.in) > 0);
    assert_false(peer_takes(&server));
    assert_int_equal(server.received, server.sent + server.held_len);
    assert_true(peer.sent < peer.queued);
}

static void a_blocking_server_goes_on_when_it_is_read(void **state)
{
    (void)state;
    answer(ANSWER_BLOCKING);
    peer.reading = false;
    peer_queue_pattern(&peer, 16 * MIB);
    PUMP_BOTH_UNTIL(server.held_len > 0);
    peer.reading = true;
    PUMP_BOTH_UNTIL(peer.received == 16 * MIB);
    assert_false(peer.differs);
}

static void a_server_holds_no_more_than_it_has_room_for(void **state)
{
    (void)state;
    answer(ANSWER_ECHO);
    peer.reading = false;
    peer_queue_pattern(&peer, 64 * MIB);
    PUMP_BOTH_UNTIL(server.held_len == 65536);
    assert_false(peer_takes(&server));
    peer.reading = true;
    PUMP_BOTH_UNTIL(peer.received == 64 * MIB);
    assert_false(peer.differs);
}

/* ---- The user ---- */

static int in[2], out[2];

static int open_user(void **state)
{
    (void)state;
    far = listener = -1;
    if (pipe(in) < 0 || pipe(out) < 0)
        return -1;
    memset(&peer, 0, sizeof(peer));
    peer_user(&peer, in[0], out[1]);
    return 0;
}

static int close_user(void **state)
{
    (void)state;
    peer_release(&peer);
    close(in[1]);
    close(out[0]);
    return 0;
}

static void the_user_types_and_compares(void **state)
{
    char text[8];

    (void)state;
    peer_queue(&peer, "line\n", 5);
    PUMP_UNTIL(peer.sent == 5);
    assert_int_equal(read(out[0], text, sizeof(text)), 5);
    assert_int_equal(write(in[1], "lime\n", 5), 5);
    PUMP_UNTIL(peer.received == 5);
    assert_true(peer.differs);
    assert_int_equal(peer.differs_at, 2);
}

static void the_users_half_close_is_the_end_of_stdin(void **state)
{
    char text[8];

    (void)state;
    peer_queue(&peer, "x", 1);
    peer.half_close = true;
    PUMP_UNTIL(peer.half_closed);
    assert_int_equal(read(out[0], text, sizeof(text)), 1);
    assert_int_equal(read(out[0], text, sizeof(text)), 0);
    assert_int_equal(write(in[1], "x", 1), 1);
    PUMP_UNTIL(peer.received == 1);
}

static void the_end_of_stdout_is_seen(void **state)
{
    (void)state;
    close(in[1]);
    PUMP_UNTIL(peer.eof);
    in[1] = -1;
}

static void a_terminal_that_is_closed_is_at_its_end(void **state)
{
    int ours, its;

    (void)state;
    assert_int_equal(openpty(&ours, &its, NULL, NULL, NULL), 0);
    peer_close(&peer);
    peer_user(&peer, ours, dup(ours));
    close(its);
    PUMP_UNTIL(peer.eof);
    assert_int_equal(peer.error, 0);
}

#define SERVER_TEST(name)                                                      \
    cmocka_unit_test_setup_teardown(name, connect_both, close_server)
#define USER_TEST(name)                                                        \
    cmocka_unit_test_setup_teardown(name, open_user, close_user)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVER_TEST(a_server_that_says_nothing_takes_all),
        SERVER_TEST(an_echo_server_sends_all_back),
        SERVER_TEST(a_server_closes_behind_its_answer),
        SERVER_TEST(an_answer_in_pieces_is_all_of_it),
        SERVER_TEST(a_blocking_server_reads_no_more_while_it_owes),
        SERVER_TEST(a_blocking_server_goes_on_when_it_is_read),
        SERVER_TEST(a_server_holds_no_more_than_it_has_room_for),
        USER_TEST(the_user_types_and_compares),
        USER_TEST(the_users_half_close_is_the_end_of_stdin),
        USER_TEST(the_end_of_stdout_is_seen),
        USER_TEST(a_terminal_that_is_closed_is_at_its_end),
    };

    unit_begin();
    return cmocka_run_group_tests_name("peer_kinds", tests, NULL, NULL) != 0;
}
