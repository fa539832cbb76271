/* test_proc.c - what stays open shows what is so now, and nobody else. */
#include "census_fixture.h"

#include "../../harness/proc.h"

#include <linux/sched.h>
#include <sys/syscall.h>

static char text[4096];

static ssize_t look(enum proc_look which, pid_t pid)
{
    return proc_look(which, pid, which == PROC_STAT ? 0 : pid, text,
                     sizeof(text));
}

static char state_of(pid_t pid)
{
    const char *end = look(PROC_STAT, pid) > 0 ? strrchr(text, ')') : NULL;

    return end ? end[2] : 'X';
}

static void a_file_is_read_to_its_end(void **state)
{
    (void)state;
    assert_true(proc_read(proc_open("/proc/%d/status", getpid()), text,
                          sizeof(text)) > 0);
    assert_non_null(strstr(text, "\nnonvoluntary_ctxt_switches:"));
    assert_int_equal(proc_read(proc_open("/proc/%d/status", -1), text, 8), -1);
    assert_int_equal(proc_read(proc_open("/proc/%d/status", getpid()), text, 6),
                     5);
    assert_string_equal(text, "Name:");
}

static void what_stays_open_shows_what_is_so_now(void **state)
{
    struct child child = child_doing(NULL);

    (void)state;
    while (state_of(child.pid) != 'S')
        ;
    kill(child.pid, SIGKILL);
    while (state_of(child.pid) != 'Z')
        ;
    release(child);
    assert_int_equal(state_of(child.pid), 'X');
}

static void children_come_and_go(void **state)
{
    char number[16];

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(look(PROC_CHILDREN, getpid()), 0);
        struct child child = child_doing(NULL);
        snprintf(number, sizeof(number), "%d ", child.pid);
        assert_true(look(PROC_CHILDREN, getpid()) > 0);
        assert_string_equal(text, number);
        release(child);
    }
}

/* A child with that number, and a child of its own; -1: nobody may choose one.
 */
static pid_t parent_numbered(pid_t pid)
{
    struct clone_args args = {
        .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&pid, .set_tid_size = 1};
    pid_t made = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

    if (made == 0) {
        pid_t own = fork();
        if (own == 0)
            prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (own > 0 || getppid() == pid)
            pause();
        _exit(0);
    }
    return made;
}

static void a_number_that_was_given_anew_is_the_new_one_s(void **state)
{
    struct child old = child_doing(NULL);
    pid_t pid = old.pid;

    (void)state;
    for (int which = PROC_STAT; which <= PROC_CALL; which++)
        look((enum proc_look)which, pid);
    release(old);
    if (parent_numbered(pid) != pid)
        skip();
    while (look(PROC_CHILDREN, pid) <= 0)
        ;
    for (int which = PROC_STAT; which <= PROC_CALL; which++)
        assert_true(look((enum proc_look)which, pid) > 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_to_its_end),
        cmocka_unit_test(what_stays_open_shows_what_is_so_now),
        cmocka_unit_test(children_come_and_go),
        cmocka_unit_test(a_number_that_was_given_anew_is_the_new_one_s),
    };

    unit_begin();
    return cmocka_run_group_tests_name("proc", tests, NULL, NULL) != 0;
}
