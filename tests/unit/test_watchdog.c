/* test_watchdog.c - a program that holds the harness is ended, no other. */
#include "program_fixture.h"

#include "../../harness/play_internal.h"
#include "../../harness/watchdog.h"

#include <time.h>

#define HUNGER_S 1

/* A program that does nothing; it has the other end of our pipe. */
static pid_t start_program(int *read_end)
{
    int pair[2];

    assert_int_equal(pipe(pair), 0);
    pid_t pid = fork();
    if (pid == 0) {
        setsid();
        for (;;)
            pause();
    }
    close(pair[1]);
    *read_end = pair[0];
    return pid;
}

static bool is_alive(pid_t pid)
{
    return waitpid(pid, NULL, WNOHANG) == 0;
}

/* Another keeps its process, however late we are fed. */
static void ends_nobody_while_we_are_busy(void **state)
{
    struct timespec used = {0};
    int fd;

    (void)state;
    pid_t watched = start_program(&fd);
    watchdog_feed(watched);
    while (used.tv_sec < 3 * HUNGER_S)
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    assert_true(is_alive(watched));
    assert_false(watchdog_has_bitten());
    watchdog_feed(0);
    kill(watched, SIGKILL);
    assert_int_equal(waitpid(watched, NULL, 0), watched);
    close(fd);
}

static void ends_a_program_that_holds_us(void **state)
{
    char byte;
    int fd, status;

    (void)state;
    pid_t watched = start_program(&fd);
    watchdog_feed(watched);
    assert_int_equal(read(fd, &byte, 1), 0);
    assert_int_equal(waitpid(watched, &status, 0), watched);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_true(watchdog_has_bitten());
    assert_false(watchdog_has_bitten());
    close(fd);
}

/* Its number may be another's by now. */
static void ends_nobody_when_no_program_is_left(void **state)
{
    int old_fd, fd;
    char byte;

    (void)state;
    pid_t old = start_program(&old_fd), watched = start_program(&fd);
    watchdog_feed(old);
    watchdog_feed(0);
    alarm(3 * HUNGER_S);
    assert_int_equal(read(fd, &byte, 1), -1);
    assert_int_equal(errno, EINTR);
    assert_true(is_alive(old));
    assert_true(is_alive(watched));
    assert_false(watchdog_has_bitten());
    kill(old, SIGKILL);
    kill(watched, SIGKILL);
    assert_int_equal(waitpid(old, NULL, 0), old);
    assert_int_equal(waitpid(watched, NULL, 0), watched);
    close(old_fd);
    close(fd);
}

/* Until the program has gone: nobody else has that pipe's other end. */
static bool hangs_in_a_read(struct play *play, void *arg)
{
    char byte;

    (void)arg;
    fcntl(play->program->output, F_SETFL, 0);
    return read(play->program->output, &byte, 1) < 0;
}

/* Nor is what the program's end looks like its own doing. */
static void no_verdict_comes_of_it(void **state)
{
    static const struct step_case row = {.name = "moves"};
    struct verdict verdict = {0};
    struct play play = {
        .row = &row, .verdict = &verdict, .program_name = "moves"};
    jmp_buf escape;

    (void)state;
    play_open(&play, &program, 0);
    play.escape = &escape;
    if (setjmp(escape) == 0) {
        play_start(&play, (const char *const[]){"toils", "0", NULL});
        play_until(&play, hangs_in_a_read, NULL);
    }
    assert_int_equal(verdict.status, VERDICT_ERROR);
    assert_non_null(strstr(verdict.came, "held the kit itself"));
    play_end(&play);
}

static int open_moves(void **state)
{
    (void)state;
    return open_program("moves");
}

static void on_alarm(int signal)
{
    (void)signal;
}

int main(void)
{
    const struct sigaction action = {.sa_handler = on_alarm};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_nobody_while_we_are_busy),
        cmocka_unit_test(ends_a_program_that_holds_us),
        cmocka_unit_test(ends_nobody_when_no_program_is_left),
        cmocka_unit_test(no_verdict_comes_of_it),
    };

    sigaction(SIGALRM, &action, NULL);
    if (watchdog_start(HUNGER_S) != 0)
        return 1;
    return cmocka_run_group_tests(tests, open_moves, close_program);
}
