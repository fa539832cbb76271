/* test_program.c - programs are started, watched and ended: lives.c. */
#include "program_fixture.h"

#include "../../harness/census.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char output[8192];

static int open_lives(void **state)
{
    (void)state;
    return open_program("lives");
}

static void start_as(const char *act, const char *arg, struct program_start how)
{
    const char *const argv[] = {"lives", act, arg, NULL};

    how.argv = argv;
    how.descriptors = how.descriptors ? how.descriptors : 1024;
    program_kill(&program);
    trace_reset(program.trace);
    assert_int_equal(program_run(&program, &how), 0);
}

static void start(const char *act, const char *arg)
{
    start_as(act, arg, (struct program_start){.input = -1, .output = -1});
}

static int status_of(const char *act, const char *arg)
{
    start(act, arg);
    return unit_await(&program);
}

static const char *output_of(const char *act, const char *arg)
{
    assert_int_equal(status_of(act, arg), 0);
    unit_take(program.output, output, sizeof(output));
    return output;
}

/* Of a process, in seconds, before the kernel's SIGXCPU. */
static unsigned cpu_limit(pid_t pid)
{
    struct rlimit limit;

    assert_int_equal(prlimit(pid, RLIMIT_CPU, NULL, &limit), 0);
    return (unsigned)limit.rlim_cur;
}

/* A MiB in single bytes is slow, and right. */
static void a_run_may_use_more_time_than_the_loader(void **state)
{
    (void)state;
    start("exit", "0");
    assert_in_range(cpu_limit(program.server), 500, 600);
    unit_await(&program);
}

static void exit_statuses_come_back(void **state)
{
    (void)state;
    assert_int_equal(WEXITSTATUS(status_of("exit", "0")), 0);
    assert_int_equal(WEXITSTATUS(status_of("exit", "1")), 1);
    assert_int_equal(WEXITSTATUS(status_of("return", "2")), 2);
    assert_int_equal(WEXITSTATUS(status_of("exit", "255")), 255);
    assert_true(WIFEXITED(program.status));
    assert_false(program.running);
}

static void signals_come_back(void **state)
{
    (void)state;
    int status = status_of("signal", "13");
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGPIPE);
    assert_int_equal(WTERMSIG(status_of("signal", "11")), SIGSEGV);
}

static const char *words_of(int status)
{
    static char text[64];

    return program_status_text(status, text, sizeof(text));
}

static void statuses_have_words(void **state)
{
    (void)state;
    assert_string_equal(words_of(status_of("exit", "1")), "exited with 1");
    assert_string_equal(words_of(status_of("signal", "13")),
                        "was killed by SIGPIPE");
    assert_string_equal(words_of(status_of("signal", "9")),
                        "was killed by SIGKILL");
}

static void main_gets_its_arguments(void **state)
{
    (void)state;
    assert_string_equal(output_of("args", "8080"), "<lives><args><8080><end>");
    assert_string_equal(output_of("args", ""), "<lives><args><><end>");
    assert_string_equal(output_of("args", NULL), "<lives><args><end>");
}

static void too_many_arguments_are_refused(void **state)
{
    const char *const argv[] = {"1", "2", "3", "4", "5",
                                "6", "7", "8", "9", NULL};
    const struct program_start how = {
        .argv = argv, .descriptors = 1024, .input = -1, .output = -1};

    (void)state;
    assert_int_equal(program_run(&program, &how), -1);
    assert_int_equal(errno, E2BIG);
}

static void stdout_and_stderr_are_kept_apart(void **state)
{
    (void)state;
    assert_string_equal(output_of("both", NULL), "out");
    unit_take(program.errors, output, sizeof(output));
    assert_string_equal(output, "err");
}

static void reading_what_it_printed_does_not_wait(void **state)
{
    char byte;

    (void)state;
    start("wait", NULL);
    unit_await_line(&program);
    assert_int_equal(read(program.output, &byte, 1), -1);
    assert_int_equal(errno, EAGAIN);
}

static void stdin_is_empty_where_none_is_asked_for(void **state)
{
    (void)state;
    assert_string_equal(output_of("copy", NULL), "");
    assert_int_equal(program.input, -1);
}

static void stdin_can_be_a_pipe(void **state)
{
    (void)state;
    start_as(
        "copy", NULL,
        (struct program_start){.input = -1, .output = -1, .input_pipe = true});
    assert_int_equal(write(program.input, "typed", 5), 5);
    close(program.input);
    program.input = -1;
    assert_int_equal(unit_await(&program), 0);
    unit_take(program.output, output, sizeof(output));
    assert_string_equal(output, "typed");
}

static void stdin_and_stdout_can_be_given(void **state)
{
    int in[2], out[2];

    (void)state;
    assert_int_equal(pipe(in) | pipe(out), 0);
    assert_int_equal(write(in[1], "given", 5), 5);
    close(in[1]);
    start_as("copy", NULL,
             (struct program_start){.input = in[0], .output = out[1]});
    assert_int_equal(unit_await(&program), 0);
    close(out[1]);
    unit_take(out[0], output, sizeof(output));
    assert_string_equal(output, "given");
    close(in[0]);
    close(out[0]);
}

static void signals_are_default_and_not_blocked(void **state)
{
    sigset_t set;

    (void)state;
    signal(SIGPIPE, SIG_IGN); /* as the harness does */
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    assert_string_equal(output_of("signals", NULL), "told");
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void it_has_three_descriptors(void **state)
{
    int ours = dup(0);

    (void)state;
    assert_string_equal(output_of("descriptors", NULL), "3, up to 2");
    close(ours);
}

static void it_has_the_descriptors_that_were_asked_for(void **state)
{
    (void)state;
    assert_string_equal(output_of("limit", NULL), "1024 1024");
    start_as(
        "limit", NULL,
        (struct program_start){.input = -1, .output = -1, .descriptors = 37});
    unit_await(&program);
    unit_take(program.output, output, sizeof(output));
    assert_string_equal(output, "37 37");
}

static void it_does_not_see_what_the_kit_tells_the_library(void **state)
{
    (void)state;
    assert_string_equal(output_of("environment", NULL), "clean");
}

static void each_run_starts_afresh(void **state)
{
    (void)state;
    assert_string_equal(output_of("runs", NULL), "1");
    assert_string_equal(output_of("runs", NULL), "1");
}

static void one_program_runs_many_times(void **state)
{
    char number[16];

    (void)state;
    for (int run = 0; run < 200; run++) {
        snprintf(number, sizeof(number), "%d", run);
        assert_int_equal(WEXITSTATUS(status_of("exit", number)), run);
    }
}

static void runs_leave_no_descriptors_behind(void **state)
{
    struct census_fd fds[1];

    (void)state;
    status_of("exit", "0");
    program_kill(&program);
    int before = census_fds(getpid(), fds, 1);
    int server_before = census_fds(program.server, fds, 1);
    for (int run = 0; run < 20; run++)
        status_of("both", NULL);
    program_kill(&program);
    assert_int_equal(census_fds(getpid(), fds, 1), before);
    assert_int_equal(census_fds(program.server, fds, 1), server_before);
}

static void a_run_that_goes_on_has_not_ended(void **state)
{
    (void)state;
    start("wait", NULL);
    unit_await_line(&program);
    assert_false(program_ended(&program));
    assert_true(program.running);
    assert_int_equal(kill(program.pid, 0), 0);
}

static size_t left(void)
{
    struct census its, ours;
    size_t count = 0;

    census_take(&its, program.server, 0);
    census_take(&ours, getpid(), program.server);
    count = its.count + ours.count - its.zombies;
    if (ours.count > 0)
        count -= ours.process[0].pid == program.server;
    census_release(&its);
    census_release(&ours);
    return count;
}

static void kill_ends_the_run(void **state)
{
    (void)state;
    start("wait", NULL);
    unit_await_line(&program);
    program_kill(&program);
    assert_false(program.running);
    assert_int_equal(left(), 0);
    assert_string_equal(words_of(program.status), "was killed by SIGKILL");
}

static void kill_leaves_nothing_of_a_family(void **state)
{
    (void)state;
    start("children", NULL);
    unit_await_line(&program);
    assert_true(left() >= 4);
    program_kill(&program);
    assert_int_equal(left(), 0);
}

static void kill_ends_a_stopped_run(void **state)
{
    (void)state;
    start("wait", NULL);
    unit_await_line(&program);
    kill(program.pid, SIGSTOP);
    program_kill(&program);
    assert_int_equal(left(), 0);
}

static void kill_of_what_has_ended_keeps_its_status(void **state)
{
    (void)state;
    status_of("exit", "7");
    program_kill(&program);
    assert_int_equal(WEXITSTATUS(program.status), 7);
    program_kill(&program);
    assert_int_equal(WEXITSTATUS(program.status), 7);
}

static void a_new_run_can_follow_a_kill(void **state)
{
    (void)state;
    start("children", NULL);
    unit_await_line(&program);
    assert_string_equal(output_of("runs", NULL), "1");
}

/* As who gets no processor: SIGCONT does not wake it. What it would have said
 * late is not heard as the next run's. */
static void a_fork_server_that_does_not_answer_is_ended(void **state)
{
    const struct program_start how = {.argv = (const char *[]){"runs", NULL},
                                      .descriptors = 1024,
                                      .input = -1,
                                      .output = -1};
    struct census census;

    (void)state;
    if (ptrace(PTRACE_SEIZE, program.server, NULL, NULL) < 0)
        skip(); /* not root: it is not ours to hold */
    assert_int_equal(ptrace(PTRACE_INTERRUPT, program.server, NULL, NULL), 0);
    program.ready_ms = 400;
    assert_int_equal(program_run(&program, &how), -1);
    assert_int_equal(errno, ETIME);
    assert_false(program_is_open(&program));
    census_take(&census, getpid(), 0);
    assert_int_equal(census.count, 0);
    census_release(&census);
    program_close(&program);
    assert_int_equal(program_open(&program, path, unit_interposer()), 0);
    assert_string_equal(output_of("runs", NULL), "1");
}

static void assert_not_opened(const char *file)
{
    struct program other;

    program_close(&program);
    assert_int_equal(program_open(&other, file, unit_interposer()), -1);
    assert_int_equal(errno, ENOEXEC);
    assert_int_equal(program_open(&program, path, unit_interposer()), 0);
}

static void a_program_that_is_not_there_is_not_opened(void **state)
{
    (void)state;
    assert_not_opened("/nowhere/program");
}

static void a_program_without_the_library_is_not_opened(void **state)
{
    char source[2 * PATH_MAX], file[2 * PATH_MAX], command[5 * PATH_MAX];

    (void)state;
    unit_write(folder, "static.c", "int main(void) { return 0; }\n");
    snprintf(source, sizeof(source), "%s/static.c", folder);
    snprintf(file, sizeof(file), "%s/static", folder);
    snprintf(command, sizeof(command), "cc -static -o '%s' '%s' 2>/dev/null",
             file, source);
    if (system(command) != 0)
        skip(); /* no static libc here */
    assert_not_opened(file);
}

static void close_leaves_no_process(void **state)
{
    struct census census;

    (void)state;
    start("children", NULL);
    unit_await_line(&program);
    program_close(&program);
    census_take(&census, getpid(), 0);
    assert_int_equal(census.count, 0);
    census_release(&census);
    assert_int_equal(program_open(&program, path, unit_interposer()), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_TEST(a_run_may_use_more_time_than_the_loader),
        RUN_TEST(exit_statuses_come_back),
        RUN_TEST(signals_come_back),
        RUN_TEST(statuses_have_words),
        RUN_TEST(main_gets_its_arguments),
        RUN_TEST(too_many_arguments_are_refused),
        RUN_TEST(stdout_and_stderr_are_kept_apart),
        RUN_TEST(reading_what_it_printed_does_not_wait),
        RUN_TEST(stdin_is_empty_where_none_is_asked_for),
        RUN_TEST(stdin_can_be_a_pipe),
        RUN_TEST(stdin_and_stdout_can_be_given),
        RUN_TEST(signals_are_default_and_not_blocked),
        RUN_TEST(it_has_three_descriptors),
        RUN_TEST(it_has_the_descriptors_that_were_asked_for),
        RUN_TEST(it_does_not_see_what_the_kit_tells_the_library),
        RUN_TEST(each_run_starts_afresh),
        RUN_TEST(one_program_runs_many_times),
        RUN_TEST(a_fork_server_that_does_not_answer_is_ended),
        RUN_TEST(runs_leave_no_descriptors_behind),
        RUN_TEST(a_run_that_goes_on_has_not_ended),
        RUN_TEST(kill_ends_the_run),
        RUN_TEST(kill_leaves_nothing_of_a_family),
        RUN_TEST(kill_ends_a_stopped_run),
        RUN_TEST(kill_of_what_has_ended_keeps_its_status),
        RUN_TEST(a_new_run_can_follow_a_kill),
        RUN_TEST(a_program_that_is_not_there_is_not_opened),
        RUN_TEST(a_program_without_the_library_is_not_opened),
        RUN_TEST(close_leaves_no_process),
    };

    unit_begin();
    return cmocka_run_group_tests_name("program", tests, open_lives,
                                       close_program) != 0;
}
