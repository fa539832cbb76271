/* test_peer.c - peers over a real loopback pair, pipes and a terminal. */
#include "unit.h"

#include "../../harness/peer.h"

#include <netinet/in.h>
#include <pty.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define MIB (1024u * 1024u)

static int listener, far; /* `far`: the program's end of the connection */
static uint16_t port, known_port;
static struct peer peer;

static void note_port(void *arg, uint16_t number)
{
    *(uint16_t *)arg = number;
}

static void make_listener(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);

    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(listener, 8), 0);
    getsockname(listener, (struct sockaddr *)&at, &len);
    port = ntohs(at.sin_port);
}

static void connect_peer(struct peer *which, int number, int buffer)
{
    memset(which, 0, sizeof(*which));
    which->number = number;
    assert_int_equal(
        peer_connect(which, "127.0.0.1", port, buffer, note_port, &known_port),
        0);
}

static int connect_both(void **state)
{
    (void)state;
    make_listener();
    connect_peer(&peer, 1, 0);
    far = accept(listener, NULL, NULL);
    return far < 0 ? -1 : 0;
}

static int close_all(void **state)
{
    (void)state;
    peer_release(&peer);
    close(far);
    close(listener);
    return 0;
}

/* Pumps until the condition holds; what must come over loopback comes. */
#define PUMP_UNTIL(condition)                                                  \
    do {                                                                       \
        int looks = 0;                                                         \
        for (; !(condition) && looks < 50 * UNIT_LOOKS; looks++)               \
            if (peer_pump(&peer) == 0)                                         \
                sched_yield();                                                 \
        if (!(condition))                                                      \
            fail_msg("never: %s", #condition);                                 \
    } while (0)

static void say(const char *text)
{
    size_t len = strlen(text);

    assert_int_equal(write(far, text, len), len);
}

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
    int left = 0;

    (void)state;
    peer.discards = true;
    peer.read_most = 3;
    say("hello");
    PUMP_UNTIL(peer.received == 3);
    while (left < 2)
        ioctl(peer.in, FIONREAD, &left);
    assert_int_equal(peer_pump(&peer), 0);
    assert_int_equal(left, 2);
}

static void its_port_is_known_before_it_connects(void **state)
{
    struct sockaddr_in at;
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
    for (size_t n = 0; peer.received < MIB && n < 50 * UNIT_LOOKS; n++) {
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

/* ---- Server peers: `peer` is the client, `server` answers it ---- */

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

/* Until neither has anything to do, many times in a row. */
static void pump_both(void)
{
    for (int idle = 0; idle < 200; idle++)
        if (peer_pump(&peer) + peer_pump(&server) > 0)
            idle = 0;
        else
            sched_yield();
}

static void a_server_that_says_nothing_takes_all(void **state)
{
    (void)state;
    answer(ANSWER_NOTHING);
    peer_queue_pattern(&peer, MIB);
    pump_both();
    assert_int_equal(server.received, MIB);
    assert_int_equal(peer.received, 0);
    assert_int_equal(server.port, port);
    assert_int_equal(server.remote_port, peer.port);
}

static void an_echo_server_sends_all_back(void **state)
{
    (void)state;
    answer(ANSWER_ECHO);
    peer_queue_pattern(&peer, MIB);
    pump_both();
    assert_int_equal(peer.received, MIB);
    assert_false(peer.differs);
}

static void a_server_closes_behind_its_answer(void **state)
{
    (void)state;
    answer(ANSWER_ECHO);
    server.half_close = peer.half_close = true;
    peer_queue_pattern(&peer, MIB);
    pump_both();
    assert_int_equal(peer.received, MIB);
    assert_true(peer.eof);
    assert_true(server.eof);
}

static void an_answer_in_pieces_is_all_of_it(void **state)
{
    (void)state;
    answer(ANSWER_PIECES);
    peer_queue_pattern(&peer, 10000);
    pump_both();
    assert_int_equal(peer.received, 10000);
    assert_false(peer.differs);
    assert_in_range(server.piece, 10000 / 8, 10000);
}

static void a_blocking_server_reads_no_more_while_it_owes(void **state)
{
    int unread = 0;

    (void)state;
    answer(ANSWER_BLOCKING);
    peer.reading = false;
    peer_queue_pattern(&peer, 64 * MIB);
    pump_both();
    ioctl(server.in, FIONREAD, &unread);
    assert_true(server.held_len > 0);
    assert_true(unread > 0);
    assert_int_equal(server.received, server.sent + server.held_len);
    assert_true(peer.sent < peer.queued);
}

static void a_blocking_server_goes_on_when_it_is_read(void **state)
{
    (void)state;
    answer(ANSWER_BLOCKING);
    peer.reading = false;
    peer_queue_pattern(&peer, 16 * MIB);
    pump_both();
    peer.reading = true;
    pump_both();
    assert_int_equal(peer.received, 16 * MIB);
    assert_false(peer.differs);
}

static void a_server_holds_no_more_than_it_has_room_for(void **state)
{
    (void)state;
    answer(ANSWER_ECHO);
    peer.reading = false;
    peer_queue_pattern(&peer, 64 * MIB);
    pump_both();
    assert_in_range(server.held_len, 1, 65536);
    peer.reading = true;
    pump_both();
    assert_int_equal(peer.received, 64 * MIB);
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

#define PEER_TEST(name)                                                        \
    cmocka_unit_test_setup_teardown(name, connect_both, close_all)
#define SERVER_TEST(name)                                                      \
    cmocka_unit_test_setup_teardown(name, connect_both, close_server)
#define USER_TEST(name)                                                        \
    cmocka_unit_test_setup_teardown(name, open_user, close_user)

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
        PEER_TEST(its_port_is_known_before_it_connects),
        PEER_TEST(a_refused_connection_is_an_error),
        PEER_TEST(a_mebibyte_goes_both_ways),
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
    return cmocka_run_group_tests_name("peer", tests, NULL, NULL) != 0;
}
