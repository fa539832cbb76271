/* test_interposer_transparent.c - nothing fails: nothing shows. */
#include "interposer_fixture.h"

#include <sys/resource.h>

/* The same program, as a shell would start it. Returns its status. */
static int run_plainly(const char *words, char *text, size_t size)
{
    int both[2], status;

    assert_int_equal(pipe2(both, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        const struct rlimit files = {256, 256};
        int null = open("/dev/null", O_RDWR);

        setrlimit(RLIMIT_NOFILE, &files);
        dup2(null, 0);
        dup2(both[1], 1);
        dup2(null, 2);
        close(null);
        execl(path, "script", words, (char *)NULL);
        _exit(127);
    }
    close(both[1]);
    unit_take(both[0], text, size);
    close(both[0]);
    waitpid(pid, &status, 0);
    return status;
}

static void assert_same(const char *plan, const char *words)
{
    static char plain[sizeof(output)];
    int status = run_plainly(words, plain, sizeof(plain));

    begin(plan, words);
    int with = unit_await(&program);
    unit_take(program.output, output, sizeof(output));
    assert_true(!WIFEXITED(status) || WEXITSTATUS(status) < 90);
    assert_string_equal(output, plain);
    assert_int_equal(with & ~0x80, status & ~0x80); /* core or not */
}

/* Planned for every family, and never due. */
#define NEVER                                                                  \
    "read#9999=EIO,write#9999=EIO,accept#9999=EIO,poll#9999=EIO,"              \
    "wait#9999=ECHILD,fork#9999=EAGAIN,malloc#9999=ENOMEM,close#9999=EIO,"     \
    "socket#9999=EMFILE,connect#9999=EIO,pthread_create#9999=EAGAIN"

static void assert_transparent(const char *act)
{
    assert_same(NULL, act);
    assert_same(NEVER, act);
}

#define TRANSPARENT(act, claim)                                                \
    static void claim(void **state)                                            \
    {                                                                          \
        (void)state;                                                           \
        assert_transparent(#act);                                              \
    }

TRANSPARENT(failing_calls, failing_calls_fail_as_ever)
TRANSPARENT(kept_errno, calls_that_succeed_leave_errno_alone)
TRANSPARENT(zero_lengths, lengths_of_0_stay_0)
TRANSPARENT(random_stream, the_programs_random_numbers_are_its_own)
TRANSPARENT(dispositions, dispositions_and_old_handlers_are_its_own)
TRANSPARENT(inherited_dispositions, children_inherit_handlers)
TRANSPARENT(masks, handlers_run_under_their_own_masks)
TRANSPARENT(processes, processes_know_each_other)
TRANSPARENT(jumps, handlers_may_be_left_by_siglongjmp)
TRANSPARENT(stdio, stdio_on_a_socket_works)
TRANSPARENT(threads, threads_are_created_joined_and_cancelled)
TRANSPARENT(descriptors, descriptors_are_duplicated)
TRANSPARENT(waits, waits_end_as_ever)
TRANSPARENT(addresses, names_resolve_as_ever)
TRANSPARENT(ends, exit_flushes_and_calls_what_was_registered)
TRANSPARENT(ends_at_once, underscore_exit_does_neither)
TRANSPARENT(dies_by_sigpipe, sigpipe_kills)
TRANSPARENT(aborts, abort_kills)

static void assert_as_ever(const char *words)
{
    assert_same(NULL, words);
    assert_same(NEVER, words);
}

static void a_signal_interrupts_as_ever(void **state)
{
    (void)state;
    assert_as_ever("conn handler:USR1 woken:read");
    assert_as_ever("conn handler:USR1 woken:recv");
    assert_as_ever("conn handler:USR1 woken:readv");
    assert_as_ever("listener handler:USR1 woken:accept");
    assert_as_ever("conn handler:USR1 woken:poll");
    assert_as_ever("handler:USR1 woken:select");
    assert_as_ever("handler:USR1 woken:nanosleep");
    assert_as_ever("handler:USR1 woken:sleep");
    assert_as_ever("handler:USR1 woken:pause");
}

static void a_signal_with_sa_restart_restarts_as_ever(void **state)
{
    (void)state;
    assert_as_ever("conn restarts:USR1 restarted:read");
    assert_as_ever("conn restarts:USR1 restarted:recv");
    assert_as_ever("conn restarts:USR1 restarted:readv");
    assert_as_ever("listener restarts:USR1 restarted:accept");
    assert_as_ever("conn restarts:USR1 restarted:wait");
}

static void some_calls_are_never_restarted(void **state)
{
    (void)state;
    assert_as_ever("conn restarts:USR1 woken:poll");
    assert_as_ever("restarts:USR1 woken:select");
    assert_as_ever("restarts:USR1 woken:nanosleep");
}

static void an_ignored_signal_interrupts_nothing(void **state)
{
    (void)state;
    assert_as_ever("conn ignore:USR1 restarted:read");
    assert_as_ever("conn block:USR1 handler:USR1 restarted:read");
}

static void bytes_go_both_ways_as_ever(void **state)
{
    (void)state;
    assert_as_ever("conn put:9 peek:9 read:2 recv:1 recvfrom:1 recvmsg:2 "
                   "readv:2 dontwait:9 dontwait:9 write:2 send:3 sendto:4 "
                   "sendmsg:5 writev:6 sendfile:7 dprintf:8 nosignal:9 take:44 "
                   "shutdown take:1 farclose");
    assert_as_ever("conn put:8 waitall:8 farclose read:5 read:5");
}

static void a_length_of_0_waits_for_nothing(void **state)
{
    (void)state;
    assert_as_ever("conn read:0 write:0");
    assert_run("read@conn1#1..=EIO,write@conn1#1..=EIO", "conn read:0 write:0",
               "read=0 write=0");
}

static int open_transparent(void **state)
{
    (void)state;
    return open_program("transparent");
}

static int open_signals(void **state)
{
    (void)state;
    return open_program("transparent_signals");
}

int main(void)
{
    const struct CMUnitTest calls[] = {
        RUN_TEST(failing_calls_fail_as_ever),
        RUN_TEST(calls_that_succeed_leave_errno_alone),
        RUN_TEST(lengths_of_0_stay_0),
        RUN_TEST(the_programs_random_numbers_are_its_own),
        RUN_TEST(stdio_on_a_socket_works),
        RUN_TEST(threads_are_created_joined_and_cancelled),
        RUN_TEST(descriptors_are_duplicated),
        RUN_TEST(waits_end_as_ever),
        RUN_TEST(names_resolve_as_ever),
    };
    const struct CMUnitTest signals[] = {
        RUN_TEST(dispositions_and_old_handlers_are_its_own),
        RUN_TEST(children_inherit_handlers),
        RUN_TEST(handlers_run_under_their_own_masks),
        RUN_TEST(processes_know_each_other),
        RUN_TEST(handlers_may_be_left_by_siglongjmp),
        RUN_TEST(exit_flushes_and_calls_what_was_registered),
        RUN_TEST(underscore_exit_does_neither),
        RUN_TEST(sigpipe_kills),
        RUN_TEST(abort_kills),
    };
    const struct CMUnitTest script[] = {
        RUN_TEST(a_signal_interrupts_as_ever),
        RUN_TEST(a_signal_with_sa_restart_restarts_as_ever),
        RUN_TEST(some_calls_are_never_restarted),
        RUN_TEST(an_ignored_signal_interrupts_nothing),
        RUN_TEST(bytes_go_both_ways_as_ever),
        RUN_TEST(a_length_of_0_waits_for_nothing),
    };
    int failed;

    unit_begin();
    failed = cmocka_run_group_tests_name("calls", calls, open_transparent,
                                         close_program);
    failed += cmocka_run_group_tests_name("signals", signals, open_signals,
                                          close_program);
    failed += cmocka_run_group_tests_name("script", script, open_script,
                                          close_program);
    return failed != 0;
}
