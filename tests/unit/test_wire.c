/* test_wire.c - what is under way, over real loopback connections. */
#include "peer_fixture.h"

#include "../../harness/wire.h"

#include <netinet/tcp.h>
#include <sys/stat.h>

static struct peer *const peers[] = {&peer};

static int connect_discarding(void **state)
{
    if (connect_both(state) < 0)
        return -1;
    peer.discards = true;
    PUMP_UNTIL(peer.connected);
    return 0;
}

static bool quiet(void)
{
    return wire_is_quiet(peers, 1);
}

static void assert_becomes_quiet(void)
{
    for (int look = 0; look < UNIT_LOOKS; look++) {
        if (quiet())
            return;
        sched_yield();
    }
    fail_msg("the wire is never quiet");
}

/* It has come when this returns. */
static void say_and_arrive(const char *text)
{
    say(text);
    while (unread_bytes(peer.in) < (int)strlen(text))
        sched_yield();
}

static void a_listening_port_listens(void **state)
{
    (void)state;
    bind_listener();
    assert_int_equal(wire_listens(port), 0);
    listen(listener, 1);
    assert_int_equal(wire_listens(port), 1);
    close(listener);
    assert_int_equal(wire_listens(port), 0);
}

static void a_listener_on_ipv6_listens(void **state)
{
    struct sockaddr_in6 at = {.sin6_family = AF_INET6,
                              .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET6, SOCK_STREAM, 0);

    (void)state;
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) < 0)
        skip(); /* no IPv6 here */
    listen(fd, 1);
    getsockname(fd, (struct sockaddr *)&at, &len);
    assert_int_equal(wire_listens(ntohs(at.sin6_port)), 1);
    close(fd);
}

static void a_connection_is_no_listener(void **state)
{
    (void)state;
    assert_int_equal(wire_listens(peer.port), 0);
}

static void nobody_is_quiet(void **state)
{
    (void)state;
    assert_true(wire_is_quiet(NULL, 0));
}

static void a_connection_without_traffic_is_quiet(void **state)
{
    (void)state;
    assert_becomes_quiet();
}

static void bytes_that_a_taking_peer_has_not_read_are_under_way(void **state)
{
    (void)state;
    say_and_arrive("hello");
    assert_false(quiet());
}

static void among_too_many_to_look_up_they_are_as_well(void **state)
{
    struct peer *many[1000];

    (void)state;
    for (size_t i = 0; i < 1000; i++)
        many[i] = &peer;
    assert_becomes_quiet();
    assert_true(wire_is_quiet(many, 1000));
    say_and_arrive("hello");
    assert_false(wire_is_quiet(many, 1000));
    assert_int_not_equal(wire_sum(many, 1000), 0);
}

static void bytes_that_were_read_are_not(void **state)
{
    (void)state;
    say_and_arrive("hello");
    PUMP_UNTIL(peer.received == 5);
    assert_becomes_quiet();
}

static void what_a_paused_peer_leaves_lying_is_quiet(void **state)
{
    (void)state;
    peer.reading = false;
    say_and_arrive("hello");
    assert_becomes_quiet();
    peer.reading = true;
    assert_false(quiet());
}

static void what_a_peer_does_not_want_is_quiet(void **state)
{
    (void)state;
    peer.read_most = 2;
    say_and_arrive("hello");
    PUMP_UNTIL(peer.received == 2);
    assert_becomes_quiet();
}

static void what_comes_is_counted_while_nobody_reads_it(void **state)
{
    struct wire_arrivals before = wire_arrivals(&peer), now;

    (void)state;
    say_and_arrive("hello");
    now = wire_arrivals(&peer);
    assert_int_equal(now.bytes - before.bytes, 5);
    assert_true(now.segments > before.segments);
}

static void what_has_reached_the_program_is_quiet(void **state)
{
    (void)state;
    peer_queue(&peer, "hello", 5);
    peer_pump(&peer);
    assert_becomes_quiet();
}

static void what_the_program_leaves_lying_is_quiet(void **state)
{
    (void)state;
    peer_queue_pattern(&peer, 64u << 20);
    for (int idle = 0; idle < 200; idle++)
        idle = peer_pump(&peer) > 0 ? 0 : idle;
    assert_true(peer.sent < peer.queued);
    assert_becomes_quiet();
}

/* tcp(7): TCP_CORK keeps it back for a while, as a sender does that has more to
 * send than it was told there is room for. */
static void what_the_kernel_keeps_back_for_a_while_is_under_way(void **state)
{
    char byte;
    int on = 1;
    bool was_quiet;

    (void)state;
    setsockopt(peer.in, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
    do { /* the while is over when we are stopped for so long */
        while (recv(far, &byte, 1, MSG_DONTWAIT) == 1)
            ;
        peer_queue(&peer, "h", 1);
        peer_pump(&peer);
        was_quiet = quiet();
    } while (unread_bytes(far) > 0);
    assert_false(was_quiet);
    while (unread_bytes(far) == 0)
        sched_yield();
    assert_becomes_quiet();
}

static void an_end_that_was_seen_is_quiet(void **state)
{
    (void)state;
    shutdown(far, SHUT_WR);
    PUMP_UNTIL(peer.eof);
    assert_becomes_quiet();
}

static void a_half_close_that_arrived_is_quiet(void **state)
{
    (void)state;
    peer.half_close = true;
    peer_pump(&peer);
    assert_true(peer.half_closed);
    assert_becomes_quiet();
}

static void a_connection_that_was_closed_is_quiet(void **state)
{
    (void)state;
    peer_close(&peer);
    assert_becomes_quiet();
}

static void a_connection_is_over_when_both_ends_have_ended(void **state)
{
    (void)state;
    shutdown(far, SHUT_WR);
    PUMP_UNTIL(peer.eof);
    assert_becomes_quiet();
    peer_pump(&peer);
    assert_false(peer.over);
    peer.half_close = true;
    PUMP_UNTIL(peer.over);
    assert_true(quiet());
    assert_int_equal(wire_sum(peers, 1), 0);
}

static void one_that_the_peer_ended_first_is_over_as_well(void **state)
{
    (void)state;
    peer.half_close = true;
    peer_pump(&peer);
    assert_becomes_quiet();
    peer_pump(&peer);
    assert_false(peer.over);
    close(far);
    PUMP_UNTIL(peer.over);
}

static void reset_far_end(void)
{
    const struct linger now = {1, 0};

    setsockopt(far, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(far);
}

static void a_connection_that_was_reset_is_over(void **state)
{
    (void)state;
    assert_int_equal(wire_connected(&peer), 1);
    reset_far_end();
    PUMP_UNTIL(peer.over);
    assert_int_equal(peer.error, ECONNRESET);
    assert_false(peer.eof);
}

static void a_reset_that_arrived_leaves_no_connection(void **state)
{
    (void)state;
    assert_int_equal(wire_connected(&peer), 1);
    peer_reset(&peer);
    for (int look = 0; look < UNIT_LOOKS && wire_connected(&peer) == 1; look++)
        sched_yield();
    assert_int_equal(wire_connected(&peer), 0);
}

/* A reset frees the port while the peer still has its socket, in which bytes
 * lie that nobody will ever acknowledge. */
static void a_port_that_was_given_anew_is_the_newest_peer_s(void **state)
{
    struct peer next;
    struct peer *const both[] = {&peer, &next};

    (void)state;
    close(far);
    while (peer.error == 0 && peer_queue(&peer, "hello", 5) == 0)
        peer_pump(&peer);
    assert_int_not_equal(peer.error, 0);
    next = peer;
    next.in = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof(struct sockaddr_in);
    assert_int_equal(bind(next.in, (void *)&next.local, len), 0);
    assert_int_equal(connect(next.in, (void *)&next.remote, len), 0);
    far = accept(listener, NULL, NULL);
    for (int look = 0; look < UNIT_LOOKS && !wire_is_quiet(both, 2); look++)
        sched_yield();
    assert_true(wire_is_quiet(both, 2));
    close(next.in);
}

static void connections_of_others_do_not_matter(void **state)
{
    struct peer other = {.number = 2};

    (void)state;
    say_and_arrive("hello");
    peer_user(&other, dup(0), dup(1));
    struct peer *const others[] = {&other};
    assert_true(wire_is_quiet(others, 1));
    peer_release(&other);
}

static uint64_t inode_of(int fd)
{
    struct stat info;

    assert_int_equal(fstat(fd, &info), 0);
    return info.st_ino;
}

static void the_program_s_end_has_its_inode(void **state)
{
    uint64_t inodes[4];

    (void)state;
    assert_int_equal(wire_inodes(port, &peer, inodes, 4), 1);
    assert_int_equal(inodes[0], inode_of(far));
    assert_int_equal(wire_inodes(port, &peer, inodes, 0), 0);
}

static void without_a_peer_it_is_the_listener_s(void **state)
{
    uint64_t inodes[4];

    (void)state;
    assert_int_equal(wire_inodes(port, NULL, inodes, 4), 1);
    assert_int_equal(inodes[0], inode_of(listener));
}

#define WIRE_TEST(name)                                                        \
    cmocka_unit_test_setup_teardown(name, connect_discarding, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listening_port_listens),
        cmocka_unit_test(a_listener_on_ipv6_listens),
        WIRE_TEST(a_connection_is_no_listener),
        cmocka_unit_test(nobody_is_quiet),
        WIRE_TEST(a_connection_without_traffic_is_quiet),
        WIRE_TEST(bytes_that_a_taking_peer_has_not_read_are_under_way),
        WIRE_TEST(among_too_many_to_look_up_they_are_as_well),
        WIRE_TEST(bytes_that_were_read_are_not),
        WIRE_TEST(what_a_paused_peer_leaves_lying_is_quiet),
        WIRE_TEST(what_a_peer_does_not_want_is_quiet),
        WIRE_TEST(what_comes_is_counted_while_nobody_reads_it),
        WIRE_TEST(what_has_reached_the_program_is_quiet),
        WIRE_TEST(what_the_program_leaves_lying_is_quiet),
        WIRE_TEST(what_the_kernel_keeps_back_for_a_while_is_under_way),
        WIRE_TEST(an_end_that_was_seen_is_quiet),
        WIRE_TEST(a_half_close_that_arrived_is_quiet),
        WIRE_TEST(a_connection_that_was_closed_is_quiet),
        WIRE_TEST(a_connection_is_over_when_both_ends_have_ended),
        WIRE_TEST(one_that_the_peer_ended_first_is_over_as_well),
        WIRE_TEST(a_connection_that_was_reset_is_over),
        WIRE_TEST(a_reset_that_arrived_leaves_no_connection),
        WIRE_TEST(a_port_that_was_given_anew_is_the_newest_peer_s),
        WIRE_TEST(connections_of_others_do_not_matter),
        WIRE_TEST(the_program_s_end_has_its_inode),
        WIRE_TEST(without_a_peer_it_is_the_listener_s),
    };

    unit_begin();
    return cmocka_run_group_tests_name("wire", tests, NULL, NULL) != 0;
}
