/* census_fixture.h - a child to look at in /proc. */
#ifndef FAULTLINE_CENSUS_FIXTURE_H
#define FAULTLINE_CENSUS_FIXTURE_H

#include "unit.h"

/* A child that lives until it is released. */
struct child {
    pid_t pid;
    int hold;
};

UNIT_HELPER struct child child_doing(void (*first)(void))
{
    int gate[2], ready[2];
    char byte;

    assert_int_equal(pipe(gate) | pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(gate[1]);
        close(ready[0]);
        if (first)
            first();
        if (write(ready[1], "r", 1) == 1)
            (void)!read(gate[0], &byte, 1);
        _exit(0);
    }
    close(gate[0]);
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return (struct child){pid, gate[1]};
}

UNIT_HELPER void release(struct child child)
{
    close(child.hold);
    waitpid(child.pid, NULL, 0);
}

#endif
