/* test_interposer_trace.c - how calls are counted, held at a gate, and
 * recorded. */
#include "interposer_fixture.h"

#include <netdb.h>
#include <pthread.h>
#include <sched.h>

/* ---- Counting ---- */

static void counts_are_by_connection(void **state)
{
    (void)state;
    assert_run("write@conn2#1=EIO",
               "conn write:1 conn write:1 write:1 conn "
               "write:1",
               "write=1 write=EIO write=1 write=1");
}

static void connections_are_numbered_in_order(void **state)
{
    (void)state;
    run(NULL, "conn write:1 conn conn write:2");
    assert_int_equal(last(CALL_write).fd, 1); /* what it printed */
    assert_int_equal(last(CALL_accept).conn, 0);
    assert_int_equal(program.trace->connects, 3);
}

static void counts_are_shared_with_children(void **state)
{
    (void)state;
    assert_run("write@conn1#2=EIO,write@conn1#4=ENOSPC",
               "conn write:1 child write:1 end write:1 child write:1 end",
               "write=1 write=EIO write=1 write=ENOSPC");
}

static void two_faults_of_one_call_both_fire(void **state)
{
    (void)state;
    assert_run("write@conn1#1=short:2,write@conn1#2=EIO",
               "conn write:5 write:5 write:5", "write=2 write=EIO write=5");
}

static void every_fault_of_a_plan_counts_every_call(void **state)
{
    (void)state;
    assert_run("write@conn1#1=EIO,write@conn1#2=ENOSPC,write@conn1#3..=EIO",
               "conn write:1 write:1 write:1 write:1",
               "write=EIO write=ENOSPC write=EIO write=EIO");
}

/* ---- Gates ---- */

static void hold_waits_before_the_call(void **state)
{
    (void)state;
    begin("accept#1=hold", "listener client accept");
    await_held(0);
    assert_int_equal(program.trace->accepted, 0);
    assert_false(program_ended(&program));
    trace_open_gate(program.trace, 0);
    assert_string_equal(finish(), "accept=0");
    assert_int_equal(program.trace->fault[0].held, 0);
}

static void hold_after_waits_behind_the_call(void **state)
{
    (void)state;
    begin("accept#1=hold-after", "listener client accept");
    await_held(0);
    assert_int_equal(program.trace->accepted, 1);
    assert_false(program_ended(&program));
    trace_open_gate(program.trace, 0);
    assert_string_equal(finish(), "accept=0");
}

static void hold_after_keeps_the_error(void **state)
{
    (void)state;
    begin("read@conn1#1=hold-after,read@conn1#1=EIO", "conn put:5 read:5");
    await_held(0);
    trace_open_gate(program.trace, 0);
    assert_string_equal(finish(), "read=EIO");
}

static void an_open_gate_holds_nobody(void **state)
{
    (void)state;
    begin("read@conn1#1..=hold", "conn put:5 read:1 read:1 read:1");
    await_held(0);
    trace_open_gate(program.trace, 0);
    assert_string_equal(finish(), "read=1 read=1 read=1");
    assert_int_equal(fired(0), 3);
}

static void who_is_held_can_be_told(void **state)
{
    (void)state;
    begin("read@conn1#1=hold", "conn put:5 read:5");
    await_held(0);
    struct trace_thread *thread = trace_thread_of(program.trace, program.pid);
    assert_non_null(thread);
    assert_int_equal(thread->held, 1);
    assert_int_equal(thread->call, CALL_read);
    assert_int_equal(thread->conn, 1);
    trace_open_gate(program.trace, 0);
    finish();
}

/* ---- The record ---- */

static void callers_lie_in_the_programs_text(void **state)
{
    struct trace *trace = program.trace;

    (void)state;
    run(NULL, "conn put:5 recvmsg:5");
    struct trace_record record = last(CALL_recvmsg);
    assert_in_range(record.caller[0], trace->text_start, trace->text_end - 1);
    assert_in_range(record.caller[1], trace->text_start, trace->text_end - 1);
    assert_true(record.caller[0] != record.caller[1]);
    assert_true(trace->text_start >= trace->load_base);
}

static void a_record_tells_call_descriptor_and_result(void **state)
{
    (void)state;
    run("recv@conn1#1=EIO", "conn put:5 recv:5");
    struct trace_record record = last(CALL_recv);
    assert_int_equal(record.conn, 1);
    assert_true(record.fd > 2);
    assert_int_equal(record.arg[0], 5);
    assert_int_equal(record.result, -1);
    assert_int_equal(record.error, EIO);
    assert_int_equal(record.injected, FAULT_ERRNO);
    assert_int_equal(record.pid, program.pid);
    assert_true(record.returned > 0);
}

static void a_record_of_a_call_that_went_well_says_so(void **state)
{
    (void)state;
    run("read@conn1#9=EIO", "conn put:5 recv:5");
    struct trace_record record = last(CALL_recv);
    assert_int_equal(record.result, 5);
    assert_int_equal(record.error, 0);
    assert_int_equal(record.injected, FAULT_NOTHING);
}

static void time_outs_are_recorded(void **state)
{
    (void)state;
    run(NULL, "conn poll:1");
    assert_int_equal(last(CALL_poll).timeout_ms, 1);
    assert_int_equal(program.trace->paused_ms, 1);
}

static void the_time_outs_of_a_socket_are_recorded(void **state)
{
    (void)state;
    assert_run(NULL, "conn limit:20 recv:5 limit:0 put:5 recv:5",
               "recv=EAGAIN recv=5");
    assert_int_equal(program.trace->paused_ms, 20);
    assert_int_equal(last(CALL_recv).timeout_ms, -1);
}

static void a_socket_that_does_not_block_has_no_time_out(void **state)
{
    (void)state;
    run(NULL, "conn limit:20 nonblock recv:5");
    assert_int_equal(program.trace->paused_ms, 0);
    assert_int_equal(last(CALL_recv).timeout_ms, -1);
}

/* It waits until there is something to fail; no longer than the call would. */
static void a_planned_failure_leaves_a_socket_its_time_out(void **state)
{
    (void)state;
    assert_run("recv@conn1#1=EIO", "conn limit:20 recv:5 put:5 recv:5",
               "recv=EAGAIN recv=EIO");
}

/* poll(2), EINVAL: as ever, but not for a limit that is the harness's. */
static void a_table_longer_than_the_limit_is_polled(void **state)
{
    (void)state;
    assert_run(NULL, "conn put:1 poll-table:256 poll-table:257",
               "poll-table=1 poll-table=EINVAL");
    prepare(NULL);
    atomic_store(&program.trace->descriptors_cut, 1);
    start("conn put:1 poll-table:257 read:1 poll-table:257");
    assert_string_equal(finish(), "poll-table=1 read=1 poll-table=0");
}

static void names_of_the_play_resolve_as_it_says(void **state)
{
    struct trace_name *name = program.trace->name;

    (void)state;
    prepare(NULL);
    strcpy(name->host, "twice.test");
    strcpy(name->addr[0], "::1");
    strcpy(name->addr[1], "127.0.0.7");
    start("resolve:twice.test resolve:127.0.0.8");
    assert_string_equal(finish(), "::1 127.0.0.7 127.0.0.8");
    assert_string_equal(last(CALL_getaddrinfo).note, "127.0.0.8");
}

static void a_name_without_addresses_is_unknown(void **state)
{
    (void)state;
    prepare(NULL);
    strcpy(program.trace->name[0].host, "nowhere.test");
    start("resolve:nowhere.test");
    assert_string_equal(finish(), gai_strerror(EAI_NONAME));
}

#define AN_HOUR_US 3600000000u

static void *open_when_waited_for(void *trace)
{
    while (atomic_load(&((struct trace *)trace)->waiters) == 0)
        sched_yield();
    trace_open_gate(trace, 0);
    return NULL;
}

static void who_waits_for_many_steps_wakes_behind_them(void **state)
{
    struct trace *trace = program.trace;
    pthread_t opener;

    (void)state;
    begin("write@conn1#1=hold", "conn write:1 write:1 write:1 write:1 write:1");
    await_held(0);
    uint32_t seen = atomic_load(&trace->seq);
    pthread_create(&opener, NULL, open_when_waited_for, trace);
    trace_wait_steps(trace, seen, 6, AN_HOUR_US);
    pthread_join(opener, NULL);
    assert_true(atomic_load(&trace->seq) - seen >= 6);
    finish();
}

static void one_process_too_many_waits_to_be_let(void **state)
{
    struct trace *trace = program.trace;

    (void)state;
    prepare(NULL);
    trace_let_begin(trace, 2);
    start("fork fork fork");
    for (int look = 0; look < UNIT_LOOKS && trace->processes < 3; look++)
        trace_wait(trace, trace->seq, 1000);
    assert_int_equal(trace->processes, 3);
    assert_false(program_ended(&program));
    trace_let_begin(trace, UINT32_MAX);
    assert_string_equal(finish(), "fork=0 fork=0 fork=0");
    assert_int_equal(trace->processes, 4);
}

static void counters_count_what_the_program_did(void **state)
{
    (void)state;
    run(NULL, "listener client accept fork");
    assert_int_equal(program.trace->listens, 1);
    assert_int_equal(program.trace->accepted, 1);
    assert_int_equal(program.trace->connects, 1);
    assert_int_equal(program.trace->processes, 2);
    assert_int_equal(program.trace->execs, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_TEST(counts_are_by_connection),
        RUN_TEST(connections_are_numbered_in_order),
        RUN_TEST(counts_are_shared_with_children),
        RUN_TEST(two_faults_of_one_call_both_fire),
        RUN_TEST(every_fault_of_a_plan_counts_every_call),
        RUN_TEST(hold_waits_before_the_call),
        RUN_TEST(hold_after_waits_behind_the_call),
        RUN_TEST(hold_after_keeps_the_error),
        RUN_TEST(an_open_gate_holds_nobody),
        RUN_TEST(who_is_held_can_be_told),
        RUN_TEST(callers_lie_in_the_programs_text),
        RUN_TEST(a_record_tells_call_descriptor_and_result),
        RUN_TEST(a_record_of_a_call_that_went_well_says_so),
        RUN_TEST(time_outs_are_recorded),
        RUN_TEST(the_time_outs_of_a_socket_are_recorded),
        RUN_TEST(a_socket_that_does_not_block_has_no_time_out),
        RUN_TEST(a_planned_failure_leaves_a_socket_its_time_out),
        RUN_TEST(a_table_longer_than_the_limit_is_polled),
        RUN_TEST(names_of_the_play_resolve_as_it_says),
        RUN_TEST(a_name_without_addresses_is_unknown),
        RUN_TEST(who_waits_for_many_steps_wakes_behind_them),
        RUN_TEST(one_process_too_many_waits_to_be_let),
        RUN_TEST(counters_count_what_the_program_did),
    };

    unit_begin();
    return cmocka_run_group_tests_name("interposer_trace", tests, open_script,
                                       close_program) != 0;
}
