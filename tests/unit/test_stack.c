/* test_stack.c - where a blocked thread stands, by its stack. */
#include "unit.h"

#include "../../harness/census.h"
#include "../../harness/stack.h"

#include <signal.h>
#include <sys/syscall.h>

/* ld(1) marks where a section begins and ends. */
extern const char __start_waiting[], __stop_waiting[];

/* A signal that never comes. */
__attribute__((noinline, section("waiting"))) static void
waits_for_a_signal(void)
{
    int signal;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (;;)
        sigwait(&set, &signal);
}

static pid_t child_that_waits(void)
{
    struct census_thread thread = {0};
    pid_t pid = fork();

    if (pid == 0)
        waits_for_a_signal();
    for (int i = 0; i < UNIT_LOOKS; i++)
        if (census_threads(pid, &thread, 1) == 1 && thread.state == 'S' &&
            thread.syscall == SYS_rt_sigtimedwait)
            break;
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void a_wait_below_libc_is_found_in_its_caller(void **state)
{
    pid_t pid = child_that_waits();
    uint64_t start = (uintptr_t)__start_waiting, callers[4];

    (void)state;
    size_t count =
        stack_callers(pid, pid, start, (uintptr_t)__stop_waiting, callers, 4);
    end(pid);
    assert_int_equal(count, 1);
}

static void frames_outside_the_range_are_left_out(void **state)
{
    pid_t pid = child_that_waits();
    uint64_t callers[4];

    (void)state;
    size_t count = stack_callers(pid, pid, 1, 2, callers, 4);
    end(pid);
    assert_int_equal(count, 0);
}

static void it_waits_again_when_it_was_looked_at(void **state)
{
    pid_t pid = child_that_waits();
    uint64_t callers[4];

    (void)state;
    int asleep = 0;
    for (int look = 0; look < 100; look++) {
        stack_callers(pid, pid, 0, UINT64_MAX, callers, 4);
        asleep += census_state(pid) == 'S';
    }
    end(pid);
    assert_int_equal(asleep, 100);
}

static void a_process_that_is_gone_stands_nowhere(void **state)
{
    pid_t pid = child_that_waits();
    uint64_t callers[4];

    (void)state;
    end(pid);
    assert_int_equal(stack_callers(pid, pid, 0, UINT64_MAX, callers, 4), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_below_libc_is_found_in_its_caller),
        cmocka_unit_test(frames_outside_the_range_are_left_out),
        cmocka_unit_test(it_waits_again_when_it_was_looked_at),
        cmocka_unit_test(a_process_that_is_gone_stands_nowhere),
    };

    return cmocka_run_group_tests_name("stack", tests, NULL, NULL) != 0;
}
