/* test_peer.c - what a client sends and gets back, and how it ends. */
#include "peer_fixture.h"

static void what_comes_back_is_the_echo(void **state)
{
    (void)state;
    assert_int_equal(peer_queue(&peer, "hello", 5), 0);
    PUMP_UNTIL(peer.sent == 5);
    say("hello");
    PUMP_UNTIL(peer.received == 5);
    assert_false(peer.differs);
    assert_false(peer.eof);
    assert_int_equal(peer.error, 0);
}

static void a_byte_that_is_wrong_is_found_where_it_is(void **state)
{
    (void)state;
    peer_queue(&peer, "hello", 5);
    PUMP_UNTIL(peer.sent == 5);
    say("he");
    PUMP_UNTIL(peer.received == 2);
    say("Llo");
    PUMP_UNTIL(peer.received == 5);
    assert_true(peer.differs);
    assert_int_equal(peer.differs_at, 2);
    assert_int_equal(peer.differs_due, 'l');
    assert_int_equal(peer.differs_came, 'L');
}

static void the_first_wrong_byte_is_the_one_kept(void **state)
{
    (void)state;
    peer_queue(&peer, "hello", 5);
    PUMP_UNTIL(peer.sent == 5);
    say("hXXXX");
    PUMP_UNTIL(peer.received == 5);
    assert_int_equal(peer.differs_at, 1);
}

static void a_byte_too_many_is_wrong(void **state)
{
    (void)state;
    peer_queue(&peer, "hi", 2);
    PUMP_UNTIL(peer.sent == 2);
    say("hi!");
    PUMP_UNTIL(peer.received == 3);
    assert_true(peer.differs);
    assert_int_equal(peer.differs_at, 2);
    assert_int_equal(peer.differs_came, '!');
}

static void what_nobody_asked_for_is_wrong(void **state)
{
    (void)state;
    say("welcome");
    PUMP_UNTIL(peer.received == 7);
    assert_true(peer.differs);
    assert_int_equal(peer.differs_at, 0);
}

static void a_peer_that_discards_finds_nothing_wrong(void **state)
{
    (void)state;
    peer.discards = true;
    say("anything");
    PUMP_UNTIL(peer.received == 8);
    assert_false(peer.differs);
}

static void segments_follow_each_other(void **state)
{
    unsigned char text[300];

    (void)state;
    peer_queue(&peer, "ab", 2);
    peer_queue_pattern(&peer, 256);
    peer_queue(&peer, "", 0);
    peer_queue(&peer, "cd", 2);
    PUMP_UNTIL(peer.sent == 260);
    assert_int_equal(recv(far, text, 260, MSG_WAITALL), 260);
    for (uint64_t at = 0; at < 260; at++)
        assert_int_equal(text[at], peer_byte(&peer, at));
    assert_memory_equal(text, "ab", 2);
    assert_memory_equal(text + 258, "cd", 2);
}

static void the_queue_keeps_a_copy(void **state)
{
    char text[] = "mine";

    (void)state;
    peer_queue(&peer, text, 4);
    memset(text, 'x', 4);
    assert_int_equal(peer_byte(&peer, 0), 'm');
}

static void a_pattern_has_all_256_values(void **state)
{
    bool seen[256] = {false};

    (void)state;
    peer_queue_pattern(&peer, 8192);
    for (uint64_t at = 0; at < 8192; at++)
        seen[peer_byte(&peer, at)] = true;
    for (int value = 0; value < 256; value++)
        assert_true(seen[value]);
}

static void a_pattern_shows_blocks_that_changed_places(void **state)
{
    (void)state;
    peer_queue_pattern(&peer, 4 * MIB);
    for (uint64_t size = 1; size <= MIB; size *= 2) {
        unsigned same = 0;

        for (uint64_t at = 0; at < 256; at++)
            same += peer_byte(&peer, at) == peer_byte(&peer, at + size);
        assert_in_range(same, 0, 200);
    }
}

static void each_peer_has_a_pattern_of_its_own(void **state)
{
    struct peer other = peer;

    (void)state;
    other.number = 2;
    peer_queue_pattern(&peer, 100);
    peer_queue_pattern(&other, 100);
    assert_int_not_equal(peer_byte(&peer, 0), peer_byte(&other, 0));
}

static void too_many_segments_are_refused(void **state)
{
    (void)state;
    for (int i = 0; i < PEER_SEGMENTS; i++)
        assert_int_equal(peer_queue(&peer, "x", 1), 0);
    assert_int_equal(peer_queue(&peer, "x", 1), -1);
    assert_int_equal(errno, ENOBUFS);
    assert_int_equal(peer.queued, PEER_SEGMENTS);
}

static void it_half_closes_behind_the_queue(void **state)
{
    char text[16];

    (void)state;
    peer_queue(&peer, "hello", 5);
    peer.half_close = true;
    PUMP_UNTIL(peer.half_closed);
    assert_int_equal(recv(far, text, 5, MSG_WAITALL), 5);
    assert_int_equal(recv(far, text, 5, 0), 0);
    say("hello");
    PUMP_UNTIL(peer.received == 5);
}

static void it_does_not_half_close_before_all_is_sent(void **state)
{
    (void)state;
    peer_queue_pattern(&peer, 64 * MIB);
    peer.half_close = true;
    while (peer_pump(&peer) > 0)
        continue;
    assert_true(peer.sent < peer.queued);
    assert_false(peer.half_closed);
}

static void an_end_in_order_is_seen(void **state)
{
    (void)state;
    close(far);
    PUMP_UNTIL(peer.eof);
    assert_int_equal(peer.error, 0);
    assert_int_equal(peer_pump(&peer), 0);
}

static void reset(int fd)
{
    struct linger now = {1, 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(fd);
}

static void a_reset_is_seen_as_econnreset(void **state)
{
    (void)state;
    reset(far);
    PUMP_UNTIL(peer.error != 0);
    assert_int_equal(peer.error, ECONNRESET);
    assert_false(peer.eof);
    assert_int_equal(peer_pump(&peer), 0);
}

static void its_own_reset_is_one(void **state)
{
    char byte;

    (void)state;
    PUMP_UNTIL(peer.connected);
    peer_reset(&peer);
    assert_int_equal(recv(far, &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
}

static void its_own_close_is_in_order(void **state)
{
    char byte;

    (void)state;
    PUMP_UNTIL(peer.connected);
    peer_close(&peer);
    assert_int_equal(recv(far, &byte, 1, 0), 0);
    assert_int_equal(peer.in, -1);
    assert_int_equal(peer_pump(&peer), 0);
}

static void a_paused_peer_takes_nothing(void **state)
{
    struct pollfd there = {peer.in, POLLIN, 0};

    (void)state;
    peer.discards = true;
    peer.reading = false;
    say("hello");
    poll(&there, 1, UNIT_NET_MS);
    assert_int_equal(peer_pump(&peer), 0);
    assert_int_equal(peer.received, 0);
    peer.reading = true;
    PUMP_UNTIL(peer.received == 5);
}

static void it_takes_no_more_than_it_wants(void **state)
{
    (void)state;
    peer.discards = true;
    peer.read_most = 3;
    say("hello");
    PUMP_UNTIL(peer.received == 3);
    while (unread_bytes(peer.in) < 2)
        sched_yield();
    assert_int_equal(peer_pump(&peer), 0);
    assert_int_equal(unread_bytes(peer.in), 2);
}

static int buffer_bytes(void)
{
    int bytes = 0;
    socklen_t len = sizeof(bytes);

    getsockopt(peer.in, SOL_SOCKET, SO_RCVBUF, &bytes, &len);
    return bytes;
}

static void who_does_not_read_and_finds_no_room_makes_some(void **state)
{
    (void)state;
    peer.reading = false;
    int before = buffer_bytes();
    peer_queue_pattern(&peer, 5);
    PUMP_UNTIL(peer.sent == 5);
    assert_int_equal(buffer_bytes(), before);
    peer_queue_pattern(&peer, 64 * MIB);
    PUMP_UNTIL(buffer_bytes() > before);
}

static void its_port_is_known_before_it_connects(void **state)
{
    struct sockaddr_in at = {0};
    socklen_t len = sizeof(at);

    (void)state;
    getpeername(far, (struct sockaddr *)&at, &len);
    assert_int_equal(known_port, ntohs(at.sin_port));
    assert_int_equal(peer.port, known_port);
    assert_int_equal(peer.remote_port, port);
}

static void a_refused_connection_is_an_error(void **state)
{
    (void)state;
    peer_release(&peer);
    close(listener);
    connect_peer(&peer, 1, 0);
    PUMP_UNTIL(peer.error != 0);
    assert_int_equal(peer.error, ECONNREFUSED);
    assert_false(peer.connected);
}

static void a_mebibyte_goes_both_ways(void **state)
{
    static char chunk[65536];

    (void)state;
    peer_queue_pattern(&peer, MIB);
    fcntl(far, F_SETFL, O_NONBLOCK);
    for (size_t n = 0; peer.received < MIB && n < UNIT_LOOKS; n++) {
        ssize_t got = read(far, chunk, sizeof(chunk)), done = 0;

        while (done < got) {
            ssize_t w = write(far, chunk + done, (size_t)(got - done));
            done += w > 0 ? w : 0;
            peer_pump(&peer);
        }
        peer_pump(&peer);
    }
    assert_int_equal(peer.received, MIB);
    assert_false(peer.differs);
}

#define PEER_TEST(name)                                                        \
    cmocka_unit_test_setup_teardown(name, connect_both, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PEER_TEST(what_comes_back_is_the_echo),
        PEER_TEST(a_byte_that_is_wrong_is_found_where_it_is),
        PEER_TEST(the_first_wrong_byte_is_the_one_kept),
        PEER_TEST(a_byte_too_many_is_wrong),
        PEER_TEST(what_nobody_asked_for_is_wrong),
        PEER_TEST(a_peer_that_discards_finds_nothing_wrong),
        PEER_TEST(segments_follow_each_other),
        PEER_TEST(the_queue_keeps_a_copy),
        PEER_TEST(a_pattern_has_all_256_values),
        PEER_TEST(a_pattern_shows_blocks_that_changed_places),
        PEER_TEST(each_peer_has_a_pattern_of_its_own),
        PEER_TEST(too_many_segments_are_refused),
        PEER_TEST(it_half_closes_behind_the_queue),
        PEER_TEST(it_does_not_half_close_before_all_is_sent),
        PEER_TEST(an_end_in_order_is_seen),
        PEER_TEST(a_reset_is_seen_as_econnreset),
        PEER_TEST(its_own_reset_is_one),
        PEER_TEST(its_own_close_is_in_order),
        PEER_TEST(a_paused_peer_takes_nothing),
        PEER_TEST(it_takes_no_more_than_it_wants),
        PEER_TEST(who_does_not_read_and_finds_no_room_makes_some),
        PEER_TEST(its_port_is_known_before_it_connects),
        PEER_TEST(a_refused_connection_is_an_error),
        PEER_TEST(a_mebibyte_goes_both_ways),
    };

    unit_begin();
    return cmocka_run_group_tests_name("peer", tests, NULL, NULL) != 0;
}
