/* test_trace.c - the harness's side of the trace. */
#include "unit.h"

#include "../../harness/trace.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>

#define AN_HOUR_US 3600000000u

static int trace_fd;

static int create(void **state)
{
    struct trace *trace;

    trace_fd = trace_create(&trace);
    *state = trace;
    return trace_fd < 0 ? -1 : 0;
}

static int destroy(void **state)
{
    trace_unmap(*state);
    return close(trace_fd);
}

/* As the interposer does it. */
static void record_call(struct trace *trace, enum call_id call)
{
    uint32_t serial = atomic_fetch_add(&trace->entries, 1) + 1;
    struct trace_record *record = &trace->record[serial % TRACE_RECORDS];

    record->call = (uint16_t)call;
    record->fd = (int32_t)serial;
    atomic_store(&record->serial, serial);
    atomic_fetch_add(&trace->seq, 1);
}

static void fill(struct trace *trace, uint32_t calls)
{
    for (uint32_t i = 0; i < calls; i++)
        record_call(trace, CALL_read);
}

static void a_new_trace_knows_its_size_and_is_empty(void **state)
{
    struct trace *trace = *state;
    struct trace_record record;

    assert_int_equal(trace->size, sizeof(*trace));
    assert_int_equal(trace->entries, 0);
    assert_false(trace_get(trace, 1, &record));
}

static void its_descriptor_does_not_outlive_exec(void **state)
{
    (void)state;
    assert_true(fcntl(trace_fd, F_GETFD) & FD_CLOEXEC);
}

static void it_is_shared_with_other_processes(void **state)
{
    struct trace *trace = *state;
    int status;

    if (fork() == 0) {
        record_call(trace, CALL_fork);
        _exit(0);
    }
    wait(&status);
    assert_int_equal(trace->entries, 1);
}

static void reset_empties_plan_names_and_ports(void **state)
{
    struct trace *trace = *state;

    trace->fault_count = 1;
    trace->fault[0].fired = 3;
    trace->conn_of_port[65535] = 7;
    strcpy(trace->name[0].host, "host");
    trace_reset(trace);
    assert_int_equal(trace->fault_count, 0);
    assert_int_equal(trace->fault[0].fired, 0);
    assert_int_equal(trace->conn_of_port[65535], 0);
    assert_string_equal(trace->name[0].host, "");
}

static void reset_empties_counters_and_keeps_the_size(void **state)
{
    struct trace *trace = *state;

    fill(trace, 3);
    trace->accepted = trace->unsafe = trace->threads = 2;
    trace_reset(trace);
    assert_int_equal(trace->entries, 0);
    assert_int_equal(trace->seq, 0);
    assert_int_equal(trace->accepted, 0);
    assert_int_equal(trace->unsafe, 0);
    assert_int_equal(trace->threads, 0);
    assert_int_equal(trace->size, sizeof(*trace));
}

static void reset_forgets_every_record(void **state)
{
    struct trace *trace = *state;
    struct trace_record record;

    fill(trace, 5);
    trace_reset(trace);
    for (uint32_t serial = 1; serial <= 5; serial++)
        assert_false(trace_get(trace, serial, &record));
}

static void reset_forgets_the_records_of_a_full_ring(void **state)
{
    struct trace *trace = *state;
    struct trace_record record;

    fill(trace, TRACE_RECORDS + 5);
    trace_reset(trace);
    for (uint32_t serial = 1; serial <= TRACE_RECORDS + 5; serial++)
        assert_false(trace_get(trace, serial, &record));
}

static void reset_forgets_the_threads(void **state)
{
    struct trace *trace = *state;

    trace->threads = 2;
    trace->thread[1].tid = 4711;
    trace_reset(trace);
    trace->threads = 2;
    assert_null(trace_thread_of(trace, 4711));
}

static void a_written_record_is_got(void **state)
{
    struct trace *trace = *state;
    struct trace_record record;

    record_call(trace, CALL_accept);
    assert_true(trace_get(trace, 1, &record));
    assert_int_equal(record.call, CALL_accept);
    assert_int_equal(record.fd, 1);
}

static void serial_0_is_no_record(void **state)
{
    struct trace_record record;

    assert_false(trace_get(*state, 0, &record));
}

static void an_unwritten_record_is_not_got(void **state)
{
    struct trace *trace = *state;
    struct trace_record record;

    record_call(trace, CALL_read);
    assert_false(trace_get(trace, 2, &record));
    trace->record[1].serial = 0; /* is being written again */
    assert_false(trace_get(trace, 1, &record));
}

static void an_overwritten_record_is_not_got(void **state)
{
    struct trace *trace = *state;
    struct trace_record record;

    fill(trace, TRACE_RECORDS + 1);
    assert_false(trace_get(trace, 1, &record));
    assert_true(trace_get(trace, 2, &record));
    assert_true(trace_get(trace, TRACE_RECORDS + 1, &record));
}

static bool is_call(const struct trace_record *record, const void *call)
{
    return record->call == *(const enum call_id *)call;
}

static void find_last_finds_the_newest(void **state)
{
    const enum call_id wanted = CALL_write;
    struct trace_record record;

    record_call(*state, CALL_write);
    record_call(*state, CALL_write);
    record_call(*state, CALL_read);
    assert_true(trace_find_last(*state, is_call, &wanted, &record));
    assert_int_equal(record.serial, 2);
}

static void find_call_finds_the_oldest(void **state)
{
    struct trace_record record;

    record_call(*state, CALL_read);
    assert_false(trace_find_call(*state, CALL_write, &record));
    record_call(*state, CALL_write);
    record_call(*state, CALL_write);
    assert_true(trace_find_call(*state, CALL_write, &record));
    assert_int_equal(record.serial, 2);
    fill(*state, TRACE_RECORDS - 1);
    assert_true(trace_find_call(*state, CALL_write, &record));
    assert_int_equal(record.serial, 3); /* that is the oldest now */
}

static void find_last_tells_that_there_is_none(void **state)
{
    const enum call_id wanted = CALL_write;
    struct trace_record record;

    assert_false(trace_find_last(*state, is_call, &wanted, &record));
    record_call(*state, CALL_read);
    assert_false(trace_find_last(*state, is_call, &wanted, &record));
}

static void find_last_does_not_see_what_is_overwritten(void **state)
{
    const enum call_id wanted = CALL_write;
    struct trace_record record;

    record_call(*state, CALL_write);
    fill(*state, TRACE_RECORDS);
    assert_false(trace_find_last(*state, is_call, &wanted, &record));
}

static void find_last_sees_the_whole_ring(void **state)
{
    const enum call_id wanted = CALL_write;
    struct trace_record record;

    fill(*state, 10);
    record_call(*state, CALL_write);
    fill(*state, TRACE_RECORDS - 1);
    assert_true(trace_find_last(*state, is_call, &wanted, &record));
    assert_int_equal(record.serial, 11);
}

static void wait_returns_at_once_where_it_has_moved(void **state)
{
    struct trace *trace = *state;

    record_call(trace, CALL_read);
    trace_wait(trace, 0, AN_HOUR_US);
    assert_int_equal(trace->waiters, 0);
}

static void wait_for_steps_returns_at_once_behind_them(void **state)
{
    struct trace *trace = *state;

    record_call(trace, CALL_read);
    trace_wait_steps(trace, 0, 2, 1);
    record_call(trace, CALL_read);
    trace_wait_steps(trace, 0, 2, AN_HOUR_US);
    assert_int_equal(trace->waiters, 0);
}

static void wait_ends_where_nothing_moves(void **state)
{
    struct trace *trace = *state;

    trace_wait(trace, trace->seq, 1);
    assert_int_equal(trace->waiters, 0);
}

static void *move_when_waited_for(void *arg)
{
    struct trace *trace = arg;

    while (atomic_load(&trace->waiters) == 0)
        sched_yield();
    atomic_fetch_add(&trace->seq, 1);
    atomic_fetch_add(&trace->bell, 1);
    while (atomic_load(&trace->waiters) > 0) {
        syscall(SYS_futex, &trace->bell, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
        sched_yield();
    }
    return NULL;
}

static void wait_is_woken_by_a_move(void **state)
{
    struct trace *trace = *state;
    pthread_t mover;

    pthread_create(&mover, NULL, move_when_waited_for, trace);
    trace_wait(trace, 0, AN_HOUR_US);
    assert_int_equal(trace->seq, 1);
    pthread_join(mover, NULL);
}

static void a_thread_is_found_by_its_id(void **state)
{
    struct trace *trace = *state;

    trace->threads = 2;
    trace->thread[0].tid = 10;
    trace->thread[1].tid = 11;
    assert_ptr_equal(trace_thread_of(trace, 11), &trace->thread[1]);
    assert_null(trace_thread_of(trace, 12));
}

static void more_threads_than_slots_do_no_harm(void **state)
{
    struct trace *trace = *state;

    trace->threads = TRACE_THREADS + 100;
    assert_null(trace_thread_of(trace, 4711));
    trace_reset(trace);
}

static void an_open_gate_stays_open(void **state)
{
    struct trace *trace = *state;

    assert_int_equal(trace->fault[3].gate, 0);
    trace_open_gate(trace, 3);
    assert_int_equal(trace->fault[3].gate, 1);
    assert_int_equal(trace->fault[2].gate, 0);
}

static void as_many_may_begin_as_were_let(void **state)
{
    struct trace *trace = *state;

    assert_int_equal(trace->begun_most, 0);
    trace_let_begin(trace, 7);
    assert_int_equal(trace->begun_most, 7);
}

#define TRACE_TEST(name) cmocka_unit_test_setup_teardown(name, create, destroy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRACE_TEST(a_new_trace_knows_its_size_and_is_empty),
        TRACE_TEST(its_descriptor_does_not_outlive_exec),
        TRACE_TEST(it_is_shared_with_other_processes),
        TRACE_TEST(reset_empties_plan_names_and_ports),
        TRACE_TEST(reset_empties_counters_and_keeps_the_size),
        TRACE_TEST(reset_forgets_every_record),
        TRACE_TEST(reset_forgets_the_records_of_a_full_ring),
        TRACE_TEST(reset_forgets_the_threads),
        TRACE_TEST(a_written_record_is_got),
        TRACE_TEST(serial_0_is_no_record),
        TRACE_TEST(an_unwritten_record_is_not_got),
        TRACE_TEST(an_overwritten_record_is_not_got),
        TRACE_TEST(find_last_finds_the_newest),
        TRACE_TEST(find_call_finds_the_oldest),
        TRACE_TEST(find_last_tells_that_there_is_none),
        TRACE_TEST(find_last_does_not_see_what_is_overwritten),
        TRACE_TEST(find_last_sees_the_whole_ring),
        TRACE_TEST(wait_returns_at_once_where_it_has_moved),
        TRACE_TEST(wait_for_steps_returns_at_once_behind_them),
        TRACE_TEST(wait_ends_where_nothing_moves),
        TRACE_TEST(wait_is_woken_by_a_move),
        TRACE_TEST(a_thread_is_found_by_its_id),
        TRACE_TEST(more_threads_than_slots_do_no_harm),
        TRACE_TEST(an_open_gate_stays_open),
        TRACE_TEST(as_many_may_begin_as_were_let),
    };

    unit_begin();
    return cmocka_run_group_tests_name("trace", tests, NULL, NULL) != 0;
}
