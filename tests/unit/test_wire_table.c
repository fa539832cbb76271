/* test_wire_table.c - both ways to the kernel's table tell the same. */
#include "peer_fixture.h"

#include "../../harness/wire_table.h"

#include <netinet/tcp.h>

struct ours {
    struct wire_row row[8]; /* of both ends */
    size_t count;
};

static bool is_ours(const struct wire_row *row, void *arg)
{
    struct ours *ours = arg;

    if ((row->local == port && row->remote == peer.port) ||
        (row->local == peer.port && row->remote == port))
        ours->row[ours->count++] = *row;
    return ours->count == 8;
}

static bool is_same(const struct wire_row *a, const struct wire_row *b)
{
    return a->local == b->local && a->remote == b->remote &&
           a->state == b->state && a->unacknowledged == b->unacknowledged &&
           a->unread == b->unread && a->retransmits == b->retransmits &&
           a->timer == b->timer && a->inode == b->inode;
}

static void assert_in(const struct ours *ours, const struct wire_row *row)
{
    for (size_t i = 0; i < ours->count; i++)
        if (is_same(&ours->row[i], row))
            return;
    fail_msg("no row %u to %u in state %u with %u bytes unread", row->local,
             row->remote, row->state, row->unread);
}

/* Nothing moves any more: all that was sent is acknowledged. */
static bool is_settled(const struct ours *ours)
{
    for (size_t i = 0; i < ours->count; i++)
        if (ours->row[i].state == TCP_ESTABLISHED &&
            (ours->row[i].unacknowledged > 0 || ours->row[i].timer > 0))
            return false;
    return true;
}

static void both_tables_are_the_same(void **state)
{
    struct ours diag, proc = {.count = 0};

    (void)state;
    say("hello");
    do {
        diag.count = 0;
        if (wire_each_by_diag(false, is_ours, &diag) < 0)
            skip();
    } while (!is_settled(&diag));
    assert_int_equal(wire_each_by_proc(is_ours, &proc), 0);
    assert_int_equal(diag.count, 2);
    assert_int_equal(proc.count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_in(&proc, &diag.row[i]);
}

static void both_ends_are_looked_up(void **state)
{
    const struct wire_ends ends = {peer.local, peer.remote};
    struct ours ours = {.count = 0};

    (void)state;
    if (wire_each_of(&ends, 1, is_ours, &ours) < 0)
        skip();
    assert_int_equal(ours.count, 2);
    assert_int_equal(ours.row[0].local, peer.port);
    assert_int_equal(ours.row[1].local, port);
}

static void who_would_take_a_connection_is_not_its_end(void **state)
{
    struct wire_ends ends = {peer.local, peer.remote};
    struct ours ours = {.count = 0};

    (void)state;
    ((struct sockaddr_in *)&ends.local)->sin_port = htons(1);
    assert_int_not_equal(wire_each_of(&ends, 1, is_ours, &ours), 1);
    assert_int_equal(ours.count, 0);
}

static bool is_listener(const struct wire_row *row, void *arg)
{
    (void)arg;
    return row->local == port && row->state == TCP_LISTEN;
}

static void who_listens_is_told_apart(void **state)
{
    struct ours ours = {.count = 0};

    (void)state;
    if (wire_each_by_diag(true, is_listener, NULL) < 0)
        skip();
    assert_int_equal(wire_each_by_diag(true, is_listener, NULL), 1);
    assert_int_equal(wire_each_by_diag(false, is_listener, NULL), 0);
    wire_each_by_diag(true, is_ours, &ours);
    assert_int_equal(ours.count, 0);
}

#define TABLE_TEST(name)                                                       \
    cmocka_unit_test_setup_teardown(name, connect_both, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TABLE_TEST(both_tables_are_the_same),
        TABLE_TEST(both_ends_are_looked_up),
        TABLE_TEST(who_would_take_a_connection_is_not_its_end),
        TABLE_TEST(who_listens_is_told_apart),
    };

    unit_begin();
    return cmocka_run_group_tests_name("wire_table", tests, NULL, NULL) != 0;
}
