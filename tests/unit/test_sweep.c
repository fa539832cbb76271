/* test_sweep.c - what a sweep plans: which call of a run can fail how, in
 * which order, and what is left out.
 */
#include "program_fixture.h"

#include "../../harness/worklist.h"

static struct swept_calls calls, again;
static struct worklist list;

static int open_script(void **state)
{
    (void)state;
    return open_program("script");
}

static int empty_list(void **state)
{
    (void)state;
    memset(&calls, 0, sizeof(calls));
    memset(&list, 0, sizeof(list));
    return 0;
}

/* ---- What a call could have failed with ---- */

static void record(const char *words)
{
    const char *const argv[] = {"script", words, NULL};
    const struct program_start how = {
        .argv = argv, .descriptors = 256, .input = -1, .output = -1};

    program_kill(&program);
    trace_reset(program.trace);
    program.trace->numbers_connects = 1;
    program.trace->recording = true;
    assert_int_equal(program_run(&program, &how), 0);
    unit_await(&program);
    swept_calls_take(&calls, program.trace, 0);
}

/* Its number among those that could fail so; 0: it could not. */
static uint32_t could(const char *words, enum call_id call,
                      enum fault_when when)
{
    record(words);
    for (size_t i = calls.count; i > 0; i--)
        if (calls.call[i - 1].call == call)
            return calls.call[i - 1].nth[when];
    fail_msg("%s() was not recorded", call_name(call));
    return 0;
}

static void a_call_can_always_fail(void **state)
{
    (void)state;
    assert_int_equal(could("conn put:9 read:5", CALL_read, WHEN_ALWAYS), 1);
    assert_int_equal(could("conn write:5 write:5", CALL_write, WHEN_ALWAYS), 2);
}

static void a_handler_makes_an_interruption_possible(void **state)
{
    (void)state;
    assert_false(could("conn put:9 read:5", CALL_read, WHEN_HANDLER));
    assert_true(
        could("handler:USR1 conn put:9 read:5", CALL_read, WHEN_HANDLER));
    assert_true(could("handler:CHLD listener client accept", CALL_accept,
                      WHEN_HANDLER));
}

static void sa_restart_does_not_but_for_poll(void **state)
{
    (void)state;
    assert_false(
        could("restarts:USR1 conn put:9 read:5", CALL_read, WHEN_HANDLER));
    assert_true(
        could("restarts:USR1 conn put:9 poll", CALL_poll, WHEN_HANDLER));
}

static void a_blocked_or_ignored_signal_interrupts_nothing(void **state)
{
    (void)state;
    assert_false(could("block:USR1 handler:USR1 conn put:9 read:5", CALL_read,
                       WHEN_HANDLER));
    assert_false(
        could("ignore:USR1 conn put:9 read:5", CALL_read, WHEN_HANDLER));
}

static void a_handler_of_sigpipe_alone_does_not_count(void **state)
{
    (void)state;
    assert_false(
        could("handler:PIPE conn put:9 read:5", CALL_read, WHEN_HANDLER));
}

static void a_call_that_never_waits_is_not_interrupted(void **state)
{
    (void)state;
    assert_false(could("handler:USR1 conn nonblock put:9 read:5", CALL_read,
                       WHEN_HANDLER));
}

static void eagain_is_for_what_does_not_block(void **state)
{
    (void)state;
    assert_false(could("conn put:9 read:5", CALL_read, WHEN_NONBLOCK));
    assert_true(could("conn nonblock put:9 read:5", CALL_read, WHEN_NONBLOCK));
    assert_true(could("conn put:9 dontwait:5", CALL_recv, WHEN_NONBLOCK));
}

static void an_edge_triggered_descriptor_is_left_alone(void **state)
{
    (void)state;
    assert_false(
        could("conn nonblock edge put:9 read:5", CALL_read, WHEN_NONBLOCK));
    assert_false(
        could("conn nonblock edge put:9 read:5", CALL_read, WHEN_LONGER));
}

static void one_byte_cannot_be_short(void **state)
{
    (void)state;
    assert_false(could("conn put:9 read:1", CALL_read, WHEN_LONGER));
    assert_int_equal(could("conn put:9 read:1 read:5", CALL_read, WHEN_LONGER),
                     1);
}

/* ---- The list ---- */

static struct swept_call call(enum call_family family, int conn, uint64_t site)
{
    return (struct swept_call){.family = (uint16_t)family,
                               .conn = conn,
                               .site = site,
                               .nth = {1, 0, 0, 0},
                               .stage = STAGE_SERVING};
}

static void add_call(struct swept_call one)
{
    calls.call[calls.count++] = one;
}

static void assert_plan(size_t i, const char *plan)
{
    char text[200];

    assert_true(i < list.count);
    assert_string_equal(work_format(&list.work[i], text, sizeof(text)), plan);
}

static void only_the_class_at_hand_is_queued(void **state)
{
    (void)state;
    add_call(call(FAMILY_READ, 1, 10));
    list.class = CLASS_CONNECTION;
    worklist_add(&list, &calls, NULL);
    assert_int_equal(list.count, 2);
    assert_plan(0, "read@conn1#1=ECONNRESET");
    assert_plan(1, "read@conn1#1=ETIMEDOUT");
}

static void what_a_call_could_not_is_not_queued(void **state)
{
    (void)state;
    struct swept_call read = call(FAMILY_READ, 1, 10);

    add_call(read);
    worklist_add(&list, &calls, NULL);
    assert_int_equal(list.count, 0);
    read.nth[WHEN_HANDLER] = 2;
    calls.count = 0;
    add_call(read);
    worklist_add(&list, &calls, NULL);
    assert_int_equal(list.count, 1);
    assert_plan(0, "read@conn1#2=EINTR");
}

static void the_order_is_that_of_the_calls(void **state)
{
    (void)state;
    add_call(call(FAMILY_FORK, 0, 10));
    add_call(call(FAMILY_ACCEPT, 0, 20));
    list.class = CLASS_RESOURCE;
    worklist_add(&list, &calls, NULL);
    assert_plan(0, "fork#1=EAGAIN");
    assert_plan(1, "fork#1..=EAGAIN");
    assert_plan(4, "accept#1=EMFILE");
    assert_plan(5, "accept#1=ENFILE");
    assert_plan(6, "accept#1..=ENFILE");
}

static void a_shortage_at_the_start_may_end_the_run(void **state)
{
    (void)state;
    struct swept_call early = call(FAMILY_MALLOC, 0, 10);

    early.stage = STAGE_LISTENING;
    add_call(early);
    list.class = CLASS_RESOURCE;
    worklist_add(&list, &calls, NULL);
    assert_int_equal(list.count, 0);
    list.class = CLASS_STARTUP;
    worklist_add(&list, &calls, NULL);
    assert_int_equal(list.count, 1); /* once: it need not go on without */
    assert_plan(0, "malloc#1=ENOMEM");
}

static void sigpipe_is_asked_of_those_who_learned_it(void **state)
{
    (void)state;
    add_call(call(FAMILY_WRITE, 1, 10));
    list.class = CLASS_CONNECTION;
    worklist_add(&list, &calls, NULL);
    assert_int_equal(list.count, 2);
    list.survives_sigpipe = true;
    worklist_add(&list, &calls, NULL);
    assert_plan(4, "write@conn1#1=EPIPE");
}

static void a_call_first_seen_behind_a_failure_is_queued_on_top(void **state)
{
    (void)state;
    add_call(call(FAMILY_READ, 1, 10));
    list.class = CLASS_CONNECTION;
    worklist_add(&list, &calls, NULL);
    add_call(call(FAMILY_SHUTDOWN, 1, 30));
    worklist_add(&list, &calls, &list.work[0]);
    assert_int_equal(list.count, 3);
    assert_plan(2, "read@conn1#1=ECONNRESET,shutdown@conn1#1=ENOTCONN");

    add_call(call(FAMILY_SHUTDOWN, 2, 40)); /* two are enough */
    worklist_add(&list, &calls, &list.work[2]);
    assert_int_equal(list.count, 3);
}

static void what_does_not_fit_is_counted(void **state)
{
    (void)state;
    list.class = CLASS_CONNECTION;
    calls.passed_over = 5;
    for (int i = 0; i < WORK_MOST / 2 + 3; i++) {
        calls.count = 0;
        add_call(call(FAMILY_READ, i + 1, 10));
        worklist_add(&list, &calls, NULL);
        calls.passed_over = 0;
    }
    assert_int_equal(list.count, WORK_MOST);
    assert_int_equal(list.cut_off, 5 + 2 * 3);
}

static void a_loop_is_made_to_fail_a_few_times_only(void **state)
{
    (void)state;
    record("conn put:9 read:1 read:1 read:1 read:1 read:1 read:1");
    size_t reads = 0;

    for (size_t i = 0; i < calls.count; i++)
        reads += calls.call[i].call == CALL_read;
    assert_int_equal(reads, CALLS_EACH);
    assert_int_equal(calls.passed_over, 2);
}

/* ---- Two recordings ---- */

static void two_recordings_of_one_run_agree(void **state)
{
    (void)state;
    record("conn put:9 read:5 write:5");
    again = calls;
    record("conn put:9 read:5 write:5");
    size_t count = calls.count;

    assert_null(swept_calls_agree(&calls, &again));
    assert_int_equal(calls.count, count);
}

static void the_first_call_that_differs_is_told(void **state)
{
    (void)state;
    add_call(call(FAMILY_READ, 1, 10));
    add_call(call(FAMILY_WRITE, 1, 20));
    again = calls;
    again.call[1].conn = 2;
    const struct swept_call *differs = swept_calls_agree(&calls, &again);

    assert_non_null(differs);
    assert_int_equal(differs->site, 20);
    assert_int_equal(differs->conn, 2);
    assert_int_equal(calls.count, 1); /* what agrees is swept */
    assert_int_equal(calls.call[0].family, FAMILY_READ);
}

static void how_often_it_looks_is_no_difference(void **state)
{
    (void)state;
    add_call(call(FAMILY_READ, 1, 10));
    again = calls;
    add_call(call(FAMILY_POLL, 0, 20));
    assert_null(swept_calls_agree(&calls, &again));
    assert_int_equal(calls.count, 1);
}

#define TEST(name) cmocka_unit_test_setup(name, empty_list)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_call_can_always_fail),
        TEST(a_handler_makes_an_interruption_possible),
        TEST(sa_restart_does_not_but_for_poll),
        TEST(a_blocked_or_ignored_signal_interrupts_nothing),
        TEST(a_handler_of_sigpipe_alone_does_not_count),
        TEST(a_call_that_never_waits_is_not_interrupted),
        TEST(eagain_is_for_what_does_not_block),
        TEST(an_edge_triggered_descriptor_is_left_alone),
        TEST(one_byte_cannot_be_short),
        TEST(only_the_class_at_hand_is_queued),
        TEST(what_a_call_could_not_is_not_queued),
        TEST(the_order_is_that_of_the_calls),
        TEST(a_shortage_at_the_start_may_end_the_run),
        TEST(sigpipe_is_asked_of_those_who_learned_it),
        TEST(a_call_first_seen_behind_a_failure_is_queued_on_top),
        TEST(what_does_not_fit_is_counted),
        TEST(a_loop_is_made_to_fail_a_few_times_only),
        TEST(two_recordings_of_one_run_agree),
        TEST(the_first_call_that_differs_is_told),
        TEST(how_often_it_looks_is_no_difference),
    };

    unit_begin();
    return cmocka_run_group_tests_name("sweep", tests, open_script,
                                       close_program) != 0;
}
