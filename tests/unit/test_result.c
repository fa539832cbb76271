/* test_result.c - points, and whether they may be told. */
#include "result_fixture.h"

/* Points come in halves. */
static int halves(double points)
{
    return (int)(points * 2);
}

static void passed_cases_score(void **state)
{
    (void)state;
    assert_int_equal(halves(step_score(&fixture_steps[0])), 20);
    assert_int_equal(halves(result_score(&fixture)), 40);
    assert_int_equal(halves(result_max(&fixture)), 40);
}

static void nothing_but_passing_scores(void **state)
{
    (void)state;
    fixture_judge(0, 1, VERDICT_FAIL, "");
    fixture_judge(0, 2, VERDICT_SKIP, "");
    fixture_judge(0, 3, VERDICT_ERROR, "");
    assert_int_equal(halves(step_score(&fixture_steps[0])), 0);
    assert_int_equal(halves(result_score(&fixture)), 20);
    assert_int_equal(halves(result_max(&fixture)), 40);
}

static void half_points_are_kept(void **state)
{
    (void)state;
    fixture_judge(0, 1, VERDICT_FAIL, "");
    fixture_judge(0, 3, VERDICT_FAIL, "");
    assert_int_equal(halves(step_score(&fixture_steps[0])), 7);
}

static void a_step_that_was_not_chosen_counts_for_nothing(void **state)
{
    (void)state;
    fixture_steps[1].chosen = false;
    fixture_judge(1, 1, VERDICT_ERROR, "");
    assert_int_equal(halves(result_score(&fixture)), 20);
    assert_int_equal(halves(result_max(&fixture)), 20);
    assert_true(result_graded(&fixture));
}

static void a_case_that_was_not_asked_for_does_not_count(void **state)
{
    (void)state;
    fixture_judge(0, 3, VERDICT_NONE, "");
    assert_false(case_counts(&fixture_steps[0], 3));
    assert_true(case_counts(&fixture_steps[0], 2));
    assert_int_equal(halves(result_max(&fixture)), 31);
    assert_true(result_graded(&fixture));
}

static void a_skipped_case_counts(void **state)
{
    (void)state;
    fixture_judge(0, 2, VERDICT_SKIP, "");
    assert_true(case_counts(&fixture_steps[0], 2));
    assert_int_equal(halves(result_max(&fixture)), 40);
}

static void failures_are_graded(void **state)
{
    (void)state;
    fixture_judge(0, 1, VERDICT_FAIL, "");
    fixture_judge(0, 2, VERDICT_SKIP, "");
    assert_true(result_graded(&fixture));
}

static void an_error_is_not_graded(void **state)
{
    (void)state;
    fixture_judge(1, 3, VERDICT_ERROR, "");
    assert_false(result_graded(&fixture));
}

static void a_step_that_was_not_finished_is_not_graded(void **state)
{
    (void)state;
    fixture_steps[1].done = false;
    assert_false(result_graded(&fixture));
}

/* The last case is worth 4.5 points. */
static int sweep_scores(unsigned survived, unsigned injected)
{
    struct verdict *verdict = &fixture_steps[0].verdict[3];

    verdict->status = survived == injected ? VERDICT_PASS : VERDICT_FAIL;
    verdict->survived = survived;
    verdict->injected = injected;
    return halves(case_score(&fixture_cases[3], verdict));
}

static void a_sweep_scores_what_was_survived(void **state)
{
    (void)state;
    assert_int_equal(sweep_scores(8, 8), 9);
    assert_int_equal(sweep_scores(6, 8), 6); /* 3.375 */
    assert_int_equal(sweep_scores(4, 8), 4); /* 2.25 */
}

static void a_sweep_that_survives_less_than_half_scores_nothing(void **state)
{
    (void)state;
    assert_int_equal(sweep_scores(3, 8), 0);
    assert_int_equal(sweep_scores(0, 8), 0);
}

static void a_case_that_is_no_sweep_is_all_or_nothing(void **state)
{
    (void)state;
    assert_int_equal(sweep_scores(0, 0), 9);
    fixture_judge(0, 3, VERDICT_FAIL, "");
    assert_int_equal(
        halves(case_score(&fixture_cases[3], &fixture_steps[0].verdict[3])), 0);
}

#define RESULT_TEST(name) cmocka_unit_test_setup(name, fixture_set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RESULT_TEST(passed_cases_score),
        RESULT_TEST(nothing_but_passing_scores),
        RESULT_TEST(half_points_are_kept),
        RESULT_TEST(a_step_that_was_not_chosen_counts_for_nothing),
        RESULT_TEST(a_case_that_was_not_asked_for_does_not_count),
        RESULT_TEST(a_skipped_case_counts),
        RESULT_TEST(failures_are_graded),
        RESULT_TEST(an_error_is_not_graded),
        RESULT_TEST(a_step_that_was_not_finished_is_not_graded),
        RESULT_TEST(a_sweep_scores_what_was_survived),
        RESULT_TEST(a_sweep_that_survives_less_than_half_scores_nothing),
        RESULT_TEST(a_case_that_is_no_sweep_is_all_or_nothing),
    };

    unit_begin();
    return cmocka_run_group_tests_name("result", tests, NULL, NULL) != 0;
}
