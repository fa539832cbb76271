/* interposer_fixture.h - the library inside a real program.
 *
 * programs/script.c carries out words, and prints what each call gave;
 * programs/transparent*.c say all that they can see of their calls.
 */
#ifndef FAULTLINE_INTERPOSER_FIXTURE_H
#define FAULTLINE_INTERPOSER_FIXTURE_H

#include "program_fixture.h"

#include "../../harness/fault.h"

static char output[32768];

UNIT_HELPER void prepare(const char *plan)
{
    const char *error;

    program_kill(&program);
    trace_reset(program.trace);
    program.trace->numbers_connects = 1;
    int count = fault_parse_plan(program.trace->fault, plan, &error);
    if (count < 0)
        fail_msg("%s: %s", plan, error);
    program.trace->fault_count = (uint32_t)count;
}

UNIT_HELPER void start(const char *words)
{
    const char *const argv[] = {"script", words, NULL};
    const struct program_start how = {
        .argv = argv, .descriptors = 256, .input = -1, .output = -1};

    assert_int_equal(program_run(&program, &how), 0);
}

UNIT_HELPER void begin(const char *plan, const char *words)
{
    prepare(plan);
    start(words);
}

UNIT_HELPER const char *finish(void)
{
    unit_await(&program);
    size_t len = unit_take(program.output, output, sizeof(output));
    while (len > 0 && output[len - 1] == ' ')
        output[--len] = '\0';
    return output;
}

UNIT_HELPER const char *run(const char *plan, const char *words)
{
    begin(plan, words);
    return finish();
}

UNIT_HELPER void assert_run(const char *plan, const char *words,
                            const char *expected)
{
    assert_string_equal(run(plan, words), expected);
}

UNIT_HELPER uint32_t fired(unsigned fault)
{
    return program.trace->fault[fault].fired;
}

UNIT_HELPER void await_held(unsigned fault)
{
    struct trace *trace = program.trace;

    for (int look = 0; look < UNIT_LOOKS; look++) {
        uint32_t seq = atomic_load(&trace->seq);

        if (atomic_load(&trace->fault[fault].held) > 0)
            return;
        trace_wait(trace, seq, 1000);
    }
    fail_msg("nobody comes to the gate");
}

UNIT_HELPER bool is_call(const struct trace_record *record, const void *call)
{
    return record->call == *(const enum call_id *)call;
}

UNIT_HELPER struct trace_record last(enum call_id call)
{
    struct trace_record record = {0};

    if (!trace_find_last(program.trace, is_call, &call, &record))
        fail_msg("%s() was not recorded", call_name(call));
    return record;
}

UNIT_HELPER int open_script(void **state)
{
    (void)state;
    return open_program("script");
}

#endif
