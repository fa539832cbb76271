/* program_fixture.h - one of programs/, built, and executed once for a group
 * of tests; each of them starts it anew. */
#ifndef FAULTLINE_PROGRAM_FIXTURE_H
#define FAULTLINE_PROGRAM_FIXTURE_H

#include "unit.h"

static char folder[PATH_MAX], path[PATH_MAX];
static struct program program;

UNIT_HELPER int open_program(const char *name)
{
    unit_folder(folder);
    unit_build(name, folder, path);
    return program_open(&program, path, unit_interposer());
}

UNIT_HELPER int close_program(void **state)
{
    (void)state;
    program_close(&program);
    unit_remove(folder);
    return 0;
}

UNIT_HELPER int kill_run(void **state)
{
    (void)state;
    program_kill(&program);
    return 0;
}

#define RUN_TEST(name) cmocka_unit_test_teardown(name, kill_run)

#endif
