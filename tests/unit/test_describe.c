/* test_describe.c - what is said of threads that wait for a lock: of real
 * programs, programs/rests.c. */
#include "program_fixture.h"

#include "../../harness/blame.h"

static int open_rests(void **state)
{
    (void)state;
    return open_program("rests");
}

static bool never(struct play *play, void *arg)
{
    (void)play;
    (void)arg;
    return false;
}

/* How the program ends that waits so, and what is said of it. */
static void assert_says(const char *act, enum play_end end, const char *words,
                        bool explained)
{
    static const struct step_case row = {.name = "rests"};
    struct verdict verdict = {0};
    struct play play = {
        .row = &row, .verdict = &verdict, .program_name = "rests"};
    char said[1000];

    play_open(&play, &program, 0);
    play_start(&play, (const char *const[]){act, NULL});
    assert_int_equal(play_until(&play, never, NULL), end);
    play.hangs = true;
    play_describe(&play, end, said, sizeof(said));
    if (!strstr(said, words))
        fail_msg("\"%s\" lacks \"%s\"", said, words);
    blame_fill(&play);
    blame_end(&play);
    assert_int_equal(verdict.why && verdict.hint, explained);
    assert_false(program_ended(&program));
    play_end(&play);
}

static void who_has_locked_it_is_named(void **state)
{
    (void)state;
    assert_says("deadlock", END_REST, "that thread 2 has locked", false);
    assert_says("locks-itself", END_REST, "that it has locked itself", true);
    assert_says("lock-left", END_REST, "that thread 2 has left locked", true);
}

static void what_naps_beside_it_hides_nothing(void **state)
{
    (void)state;
    assert_says("lock-left-beside-naps", END_TIMED,
                "that thread 3 has left locked", true);
}

static void a_handler_that_waits_is_in_no_call(void **state)
{
    (void)state;
    assert_says("handler-locks", END_REST, "that it has locked itself", true);
}

static void a_childs_copy_is_nobodys(void **state)
{
    (void)state;
    assert_says("lock-copied", END_REST, "that was locked when it was forked",
                true);
    assert_says("lock-shared", END_REST, "that process 1, thread 1 has locked",
                false);
}

static void a_signal_is_no_lock(void **state)
{
    (void)state;
    assert_says("sigwait", END_REST, "waits for a signal", false);
    assert_says("sigwait-after-jump", END_REST, "waits for a signal", false);
    assert_says("sigwaitinfo", END_REST, "waits for a signal", false);
    assert_says("condition", END_REST, "a lock, a signal or a time", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_locked_it_is_named),
        cmocka_unit_test(what_naps_beside_it_hides_nothing),
        cmocka_unit_test(a_handler_that_waits_is_in_no_call),
        cmocka_unit_test(a_childs_copy_is_nobodys),
        cmocka_unit_test(a_signal_is_no_lock),
    };

    unit_begin();
    return cmocka_run_group_tests_name("describe", tests, open_rests,
                                       close_program) != 0;
}
