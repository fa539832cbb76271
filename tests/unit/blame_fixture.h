/* blame_fixture.h - a play whose trace a test writes, call by call. */
#ifndef FAULTLINE_BLAME_FIXTURE_H
#define FAULTLINE_BLAME_FIXTURE_H

#include "unit.h"

#include "../../harness/blame_internal.h"

#include <errno.h>

#define FIRST          100 /* the program's first process, and its first thread */
#define CHILD          200
#define EXITED(status) ((status) << 8) /* wait(2) */

static struct program program;
static struct play play;
static int trace_fd;

UNIT_HELPER int begin(void **state)
{
    (void)state;
    memset(&play, 0, sizeof(play));
    program = (struct program){.pid = FIRST};
    play.program = &program;
    trace_fd = trace_create(&program.trace);
    return trace_fd < 0 ? -1 : 0;
}

UNIT_HELPER int end(void **state)
{
    (void)state;
    trace_unmap(program.trace);
    return close(trace_fd);
}

/* A call of the first thread, at a line of its own. */
UNIT_HELPER struct trace_record *add(enum call_id call, int conn, int fd,
                                     int64_t result)
{
    struct trace *trace = program.trace;
    uint32_t serial = atomic_fetch_add(&trace->entries, 1) + 1;
    struct trace_record *record = &trace->record[serial % TRACE_RECORDS];

    record->call = (uint16_t)call;
    record->pid = record->tid = FIRST;
    record->conn = conn;
    record->fd = fd;
    record->result = result;
    record->caller[0] = serial;
    atomic_store(&record->returned, atomic_fetch_add(&trace->seq, 1) + 1);
    atomic_store(&record->serial, serial);
    return record;
}

UNIT_HELPER struct trace_record *add_failure(enum call_id call, int conn,
                                             int error)
{
    struct trace_record *record = add(call, conn, 3, -1);

    record->error = error;
    return record;
}

/* The same at a line where others may have been. */
UNIT_HELPER struct trace_record *at(uint64_t line, struct trace_record *record)
{
    record->caller[0] = line;
    return record;
}

UNIT_HELPER struct trace_record *by(int pid, int tid,
                                    struct trace_record *record)
{
    record->pid = pid;
    record->tid = tid;
    return record;
}

typedef bool finder(struct play *play, struct trace_record *record);

UNIT_HELPER void assert_blames(finder *find,
                               const struct trace_record *expected)
{
    struct trace_record found;

    assert_true(find(&play, &found));
    assert_int_equal(found.serial, expected->serial);
}

UNIT_HELPER void assert_blames_nothing(finder *find)
{
    struct trace_record found;

    assert_false(find(&play, &found));
}

#define BLAME_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
