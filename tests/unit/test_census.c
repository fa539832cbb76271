/* test_census.c - which processes and threads /proc shows, and in what state:
 * read from real ones. */
#include "census_fixture.h"

#include "../../harness/census.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

/* Ends it, and does not reap it. */
static void leave_as_zombie(struct child child)
{
    siginfo_t info;

    close(child.hold);
    waitid(P_PID, (id_t)child.pid, &info, WEXITED | WNOWAIT);
}

static bool lists(const struct census *census, pid_t pid, pid_t parent)
{
    for (size_t i = 0; i < census->count; i++)
        if (census->process[i].pid == pid &&
            census->process[i].parent == parent)
            return true;
    return false;
}

static void own_children_are_listed(void **state)
{
    struct child child = child_doing(NULL);
    struct census census;

    (void)state;
    assert_int_equal(census_take(&census, getpid(), 0), 0);
    assert_int_equal(census.count, 1);
    assert_int_equal(census.zombies, 0);
    assert_true(lists(&census, child.pid, getpid()));
    census_release(&census);
    release(child);
}

static void a_child_that_ended_is_a_zombie(void **state)
{
    struct child child = child_doing(NULL);
    struct census census;

    (void)state;
    leave_as_zombie(child);
    census_take(&census, getpid(), 0);
    assert_int_equal(census.zombies, 1);
    assert_int_equal(census.process[0].state, 'Z');
    census_release(&census);
    waitpid(child.pid, NULL, 0);
}

static void a_reaped_child_is_gone(void **state)
{
    struct child child = child_doing(NULL);
    struct census census;

    (void)state;
    release(child);
    census_take(&census, getpid(), 0);
    assert_int_equal(census.count, 0);
    census_release(&census);
}

static void have_a_child_too(void)
{
    if (fork() == 0)
        for (;;)
            pause();
}

static void grandchildren_are_listed_under_their_parent(void **state)
{
    struct child child = child_doing(have_a_child_too);
    struct census census;

    (void)state;
    census_take(&census, getpid(), 0);
    assert_int_equal(census.count, 2);
    assert_int_equal(census.process[1].parent, child.pid);
    kill(census.process[1].pid, SIGKILL);
    census_release(&census);
    release(child);
    while (waitpid(-1, NULL, 0) > 0)
        continue;
}

static void nothing_below_the_excepted_is_listed(void **state)
{
    struct child child = child_doing(have_a_child_too);
    struct census census;

    (void)state;
    census_take(&census, getpid(), child.pid);
    assert_int_equal(census.count, 0);
    census_release(&census);
    census_take(&census, child.pid, 0);
    assert_int_equal(census.count, 1);
    kill(census.process[0].pid, SIGKILL);
    census_release(&census);
    release(child);
    while (waitpid(-1, NULL, 0) > 0)
        continue;
}

static void many_children_are_all_listed(void **state)
{
    struct child child[100];
    struct census census;

    (void)state;
    for (int i = 0; i < 100; i++)
        child[i] = child_doing(NULL);
    assert_int_equal(census_take(&census, getpid(), 0), 0);
    assert_int_equal(census.count, 100);
    census_release(&census);
    for (int i = 99; i >= 0; i--)
        release(child[i]);
}

static void take_a_misleading_name(void)
{
    prctl(PR_SET_NAME, "a) Z 1 (b");
}

static void a_name_cannot_forge_a_state(void **state)
{
    struct child child = child_doing(take_a_misleading_name);

    (void)state;
    assert_int_not_equal(census_state(child.pid), 'Z');
    assert_int_not_equal(census_state(child.pid), 'X');
    release(child);
}

static void a_process_that_is_gone_has_nothing(void **state)
{
    struct child child = child_doing(NULL);
    struct census_thread thread;
    struct census_fd fd;
    uint64_t mask;

    (void)state;
    release(child);
    assert_int_equal(census_state(child.pid), 'X');
    assert_int_equal(census_threads(child.pid, &thread, 1), 0);
    assert_int_equal(census_thread_count(child.pid), 0);
    assert_int_equal(census_fds(child.pid, &fd, 1), -1);
    assert_int_equal(census_blocked(child.pid, child.pid, &mask), -1);
    assert_int_equal(census_memory_kib(child.pid, false), -1);
    assert_int_equal(census_cpu_ns(child.pid), 0);
    assert_int_equal(census_timer(child.pid), CENSUS_TIMER_NONE);
}

static int gate[2];

static void *wait_at_gate(void *arg)
{
    char byte;

    *(_Atomic pid_t *)arg = (pid_t)syscall(SYS_gettid);
    return (void *)read(gate[0], &byte, 1);
}

static void threads_are_listed_by_their_ids(void **state)
{
    struct census_thread thread[8];
    _Atomic pid_t tid = 0;
    pthread_t one;

    (void)state;
    assert_int_equal(pipe(gate), 0);
    pthread_create(&one, NULL, wait_at_gate, &tid);
    while (tid == 0)
        sched_yield();
    assert_int_equal(census_thread_count(getpid()), 2);
    assert_int_equal(census_threads(getpid(), thread, 8), 2);
    assert_true(thread[0].tid == tid || thread[1].tid == tid);
    assert_int_equal(census_threads(getpid(), thread, 1), 1);
    close(gate[1]);
    pthread_join(one, NULL);
    close(gate[0]);
}

static struct child led_by_none;

/* The thread that main() leaves the process to: it holds the gate's end. */
static void *outlive_main(void *arg)
{
    while (census_lives(getpid(), getpid()))
        sched_yield();
    if (write(*(int *)arg, "r", 1) == 1)
        (void)!read(gate[0], arg, 1);
    _exit(0);
}

/* A child whose main thread has left by pthread_exit(3). */
static void led_by_none_is_there(void)
{
    static int ready[2];
    pthread_t other;
    char byte;

    assert_int_equal(pipe(gate) | pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(gate[1]);
        pthread_create(&other, NULL, outlive_main, &ready[1]);
        pthread_exit(NULL);
    }
    close(gate[0]);
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    led_by_none = (struct child){pid, gate[1]};
}

static void a_process_whose_main_has_left_lives(void **state)
{
    struct census_thread thread[8];
    struct census census;

    (void)state;
    led_by_none_is_there();
    assert_int_not_equal(census_state(led_by_none.pid), 'Z');
    census_take(&census, getpid(), 0);
    assert_int_equal(census.count, 1);
    assert_int_equal(census.zombies, 0);
    assert_int_equal(census_threads_of(&census.process[0], thread, 8), 1);
    assert_int_not_equal(thread[0].tid, led_by_none.pid);
    census_release(&census);
    release(led_by_none);
}

static void what_main_has_left_is_still_the_process_s(void **state)
{
    struct census_fd fds[64];

    (void)state;
    led_by_none_is_there();
    assert_true(census_fds(led_by_none.pid, fds, 64) > 2);
    assert_true(census_memory_kib(led_by_none.pid, false) > 0);
    assert_true(census_memory_kib(led_by_none.pid, true) > 0);
    assert_true(census_resident_bytes(led_by_none.pid) > 0);
    assert_true(census_own_bytes(led_by_none.pid) > 0);
    release(led_by_none);
}

static void it_is_a_zombie_once_no_thread_is_left(void **state)
{
    (void)state;
    led_by_none_is_there();
    leave_as_zombie(led_by_none);
    assert_int_equal(census_state(led_by_none.pid), 'Z');
    assert_false(census_lives(led_by_none.pid, led_by_none.pid));
    waitpid(led_by_none.pid, NULL, 0);
}

static struct census_thread once_asleep(pid_t pid)
{
    struct census_thread thread;

    for (int look = 0; look < UNIT_LOOKS; look++) {
        if (census_threads(pid, &thread, 1) == 1 && thread.state == 'S' &&
            thread.syscall >= 0)
            return thread;
        sched_yield();
    }
    fail_msg("the child never sleeps in a call");
    return thread;
}

static void a_blocked_thread_shows_its_call(void **state)
{
    struct child child = child_doing(NULL);
    struct census_thread thread = once_asleep(child.pid);

    (void)state;
    assert_int_equal(thread.syscall, SYS_read);
    assert_int_equal(thread.arg[2], 1);
    assert_int_equal(thread.pid, child.pid);
    release(child);
}

static void a_stopped_process_shows_as_stopped(void **state)
{
    struct child child = child_doing(NULL);

    (void)state;
    kill(child.pid, SIGSTOP);
    waitpid(child.pid, NULL, WUNTRACED);
    assert_int_equal(census_state(child.pid), 'T');
    kill(child.pid, SIGCONT);
    release(child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_children_are_listed),
        cmocka_unit_test(a_child_that_ended_is_a_zombie),
        cmocka_unit_test(a_reaped_child_is_gone),
        cmocka_unit_test(grandchildren_are_listed_under_their_parent),
        cmocka_unit_test(nothing_below_the_excepted_is_listed),
        cmocka_unit_test(many_children_are_all_listed),
        cmocka_unit_test(a_name_cannot_forge_a_state),
        cmocka_unit_test(a_process_that_is_gone_has_nothing),
        cmocka_unit_test(threads_are_listed_by_their_ids),
        cmocka_unit_test(a_blocked_thread_shows_its_call),
        cmocka_unit_test(a_stopped_process_shows_as_stopped),
        cmocka_unit_test(a_process_whose_main_has_left_lives),
        cmocka_unit_test(what_main_has_left_is_still_the_process_s),
        cmocka_unit_test(it_is_a_zombie_once_no_thread_is_left),
    };

    unit_begin();
    return cmocka_run_group_tests_name("census", tests, NULL, NULL) != 0;
}
