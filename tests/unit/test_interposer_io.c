/* test_interposer_io.c - reading and writing that fail or are short, and
 * connections that break. */
#include "interposer_fixture.h"

/* ---- Planned failures ---- */

static void a_planned_errno_comes_once(void **state)
{
    (void)state;
    assert_run("read@conn1#1=EIO", "conn put:5 read:5 read:5",
               "read=EIO read=5");
    assert_run("write@conn1#2=ENOBUFS", "conn write:5 write:5 write:5",
               "write=5 write=ENOBUFS write=5");
    assert_int_equal(fired(0), 1);
    assert_int_equal(program.trace->fault[0].seen, 3);
}

static void a_range_hits_its_calls_only(void **state)
{
    (void)state;
    assert_run("write@conn1#2..3=EIO", "conn write:1 write:1 write:1 write:1",
               "write=1 write=EIO write=EIO write=1");
    assert_run("write@conn1#2..=EIO", "conn write:1 write:1 write:1",
               "write=1 write=EIO write=EIO");
}

static void a_family_means_all_its_calls(void **state)
{
    (void)state;
    assert_run("read@conn1#1..6=EIO",
               "conn put:9 read:1 recv:1 recvfrom:1 recvmsg:2 readv:2 "
               "dontwait:1 read:9",
               "read=EIO recv=EIO recvfrom=EIO recvmsg=EIO readv=EIO "
               "dontwait=EIO read=9");
    assert_run("write@conn1#1..8=EIO",
               "conn write:1 send:1 sendto:1 sendmsg:2 writev:2 sendfile:1 "
               "sendfile64:1 dprintf:1 write:9",
               "write=EIO send=EIO sendto=EIO sendmsg=EIO writev=EIO "
               "sendfile=EIO sendfile64=EIO dprintf=EIO write=9");
}

static void a_call_means_that_call_only(void **state)
{
    (void)state;
    assert_run("recv#1=EIO", "conn put:9 read:1 recv:1", "read=1 recv=EIO");
    assert_run("accept4#1=EPROTO", "conn client accept client accept4",
               "accept=0 accept4=EPROTO");
}

static void reads_are_short(void **state)
{
    (void)state;
    assert_run("read@conn1#1..5=short:2",
               "conn put:40 read:8 recv:8 recvfrom:8 recvmsg:8 readv:8 read:99",
               "read=2 recv=2 recvfrom=2 recvmsg=2 readv=2 read=30");
}

static void writes_are_short(void **state)
{
    (void)state;
    assert_run("write@conn1#1..6=short:3",
               "conn write:8 send:8 sendto:8 sendmsg:8 writev:8 sendfile:8 "
               "write:8 take:26",
               "write=3 send=3 sendto=3 sendmsg=3 writev=3 sendfile=3 write=8 "
               "take=26");
}

static void a_vector_is_cut_in_its_second_part(void **state)
{
    (void)state;
    assert_run("write@conn1#1..2=short:5", "conn writev:8 sendmsg:8 take:10",
               "writev=5 sendmsg=5 take=10");
    assert_run("read@conn1#1..2=short:5", "conn put:10 readv:8 recvmsg:8",
               "readv=5 recvmsg=5");
}

static void a_short_call_is_short_by_or_to_half(void **state)
{
    (void)state;
    assert_run("write@conn1#1=short:-3,write@conn1#2=short:half",
               "conn write:10 write:10", "write=7 write=5");
}

static void a_short_call_is_never_one_of_0(void **state)
{
    (void)state;
    assert_run("write@conn1#1=short:-9", "conn write:5", "write=1");
    assert_run("write@conn1#1=short:half", "conn write:2", "write=1");
}

static void a_short_read_is_short_of_what_has_come(void **state)
{
    (void)state;
    assert_run("read@conn1#1=short:half", "conn put:8 read:1000", "read=4");
    assert_run("read@conn1#1=short:-1", "conn put:8 read:1000", "read=7");
}

static void a_call_for_1_byte_cannot_be_short_and_does_not_count(void **state)
{
    (void)state;
    assert_run("write@conn1#1=short:1", "conn write:1 write:5",
               "write=1 write=1");
    assert_run("read@conn1#1=short:1", "conn put:9 read:1 read:5",
               "read=1 read=1");
}

static void a_call_that_waits_for_all_is_not_short(void **state)
{
    (void)state;
    assert_run("read@conn1#1=short:1", "conn put:8 waitall:4 read:4",
               "waitall=4 read=1");
}

/* recv(2), MSG_PEEK; tcp(7), SIOCINQ */
static void what_the_program_has_seen_it_can_read(void **state)
{
    (void)state;
    assert_run("read@conn1#2=EAGAIN",
               "conn nonblock put:8 peek:8 read:3 recv:9 put:4 read:9 read:9",
               "peek=8 read=3 recv=5 read=EAGAIN read=4");
    assert_run("read@conn1#2=ECONNRESET",
               "conn put:8 peek:1 read:8 put:4 recvmsg:4",
               "peek=1 read=8 recvmsg=ECONNRESET");
    assert_run("read@conn1#1=short:1", "conn put:8 peek:5 readv:8 read:8",
               "peek=5 readv=5 read=3");
    assert_run("read@conn1#1=short:1", "conn put:8 waiting read:8 put:4 read:4",
               "waiting=8 read=8 read=1");
}

static void dprintf_goes_on_after_a_short_write(void **state)
{
    (void)state;
    assert_run("write@conn1#1=short:1", "conn dprintf:8 take:8",
               "dprintf=8 take=8");
    assert_int_equal(fired(0), 1);
}

static void stdio_on_a_socket_is_seen_and_fails(void **state)
{
    (void)state;
    assert_run("write@conn1#1=EIO", "conn fdopen", "fdopen=EIO");
    assert_int_equal(program.trace->stdio_sockets, 1);
}

static void a_read_counts_only_with_something_to_read(void **state)
{
    (void)state;
    assert_run("read@conn1#1=EIO",
               "conn dontwait:5 nonblock read:5 put:5 read:5",
               "dontwait=EAGAIN read=EAGAIN read=EIO");
    assert_int_equal(program.trace->fault[0].seen, 1);
}

static void an_end_is_something_to_read(void **state)
{
    (void)state;
    assert_run("read@conn1#1=EIO", "conn farclose read:5 read:5",
               "read=EIO read=0");
}

/* ---- Pipes that break ---- */

static void epipe_raises_sigpipe(void **state)
{
    (void)state;
    begin("write@conn1#1=EPIPE", "conn write:5");
    int status = unit_await(&program);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGPIPE);
}

static void every_way_of_writing_raises_it(void **state)
{
    (void)state;
    assert_run("write@conn1#1..=EPIPE",
               "handler:PIPE conn write:1 send:1 sendto:1 sendmsg:2 writev:2 "
               "sendfile:1 dprintf:1 handled",
               "write=EPIPE send=EPIPE sendto=EPIPE sendmsg=EPIPE writev=EPIPE "
               "sendfile=EPIPE dprintf=EPIPE handled=7");
}

static void epipe_does_not_signal_with_msg_nosignal(void **state)
{
    (void)state;
    assert_run("write@conn1#1=EPIPE", "handler:PIPE conn nosignal:5 handled",
               "nosignal=EPIPE handled=0");
}

static void epipe_is_told_where_sigpipe_is_ignored(void **state)
{
    (void)state;
    assert_run("write@conn1#1=EPIPE", "ignore:PIPE conn write:5 write:5",
               "write=EPIPE write=EPIPE");
    assert_run("write@conn1#1=EPIPE", "block:PIPE conn write:5", "write=EPIPE");
}

static void a_handler_of_sigpipe_cannot_change_the_error(void **state)
{
    (void)state;
    assert_run("write@conn1#1=EPIPE", "handler:PIPE does:spoil conn write:5",
               "write=EPIPE");
}

static void a_reset_breaks_the_connection_for_good(void **state)
{
    (void)state;
    assert_run("read@conn1#1=ECONNRESET",
               "conn put:5 read:5 read:5 read:5 nosignal:5 nosignal:5 take:1",
               "read=ECONNRESET read=0 read=0 nosignal=EPIPE nosignal=EPIPE "
               "take=0");
    assert_run("write@conn1#1=ECONNRESET", "conn write:5 nosignal:5 read:5",
               "write=ECONNRESET nosignal=EPIPE read=0");
}

static void a_time_out_breaks_the_connection_for_good(void **state)
{
    (void)state;
    assert_run("read@conn1#1=ETIMEDOUT", "conn put:5 read:5 read:5 nosignal:5",
               "read=ETIMEDOUT read=0 nosignal=EPIPE");
}

static void a_broken_connection_leaves_others_alone(void **state)
{
    (void)state;
    assert_run("read@conn1#1=ECONNRESET",
               "conn put:5 read:5 conn put:5 read:5 write:5",
               "read=ECONNRESET read=5 write=5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_TEST(a_planned_errno_comes_once),
        RUN_TEST(a_range_hits_its_calls_only),
        RUN_TEST(a_family_means_all_its_calls),
        RUN_TEST(a_call_means_that_call_only),
        RUN_TEST(reads_are_short),
        RUN_TEST(writes_are_short),
        RUN_TEST(a_vector_is_cut_in_its_second_part),
        RUN_TEST(a_short_call_is_short_by_or_to_half),
        RUN_TEST(a_short_call_is_never_one_of_0),
        RUN_TEST(a_short_read_is_short_of_what_has_come),
        RUN_TEST(a_call_for_1_byte_cannot_be_short_and_does_not_count),
        RUN_TEST(a_call_that_waits_for_all_is_not_short),
        RUN_TEST(what_the_program_has_seen_it_can_read),
        RUN_TEST(dprintf_goes_on_after_a_short_write),
        RUN_TEST(stdio_on_a_socket_is_seen_and_fails),
        RUN_TEST(a_read_counts_only_with_something_to_read),
        RUN_TEST(an_end_is_something_to_read),
        RUN_TEST(epipe_raises_sigpipe),
        RUN_TEST(every_way_of_writing_raises_it),
        RUN_TEST(epipe_does_not_signal_with_msg_nosignal),
        RUN_TEST(epipe_is_told_where_sigpipe_is_ignored),
        RUN_TEST(a_handler_of_sigpipe_cannot_change_the_error),
        RUN_TEST(a_reset_breaks_the_connection_for_good),
        RUN_TEST(a_time_out_breaks_the_connection_for_good),
        RUN_TEST(a_broken_connection_leaves_others_alone),
    };

    unit_begin();
    return cmocka_run_group_tests_name("interposer_io", tests, open_script,
                                       close_program) != 0;
}
