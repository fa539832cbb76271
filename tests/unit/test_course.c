/* test_course.c - an instructor's points and hidden cases, and every way to
 * get the file wrong. */
#include "result_fixture.h"

#include "../../harness/course.h"

static struct step *steps[2];
static char error[512];

static int copy_steps(void **state)
{
    (void)state;
    for (size_t s = 0; s < 2; s++)
        assert_non_null(steps[s] = course_copy(&fixture_step[s]));
    return 0;
}

static int release_steps(void **state)
{
    (void)state;
    for (size_t s = 0; s < 2; s++) {
        free((void *)steps[s]->cases);
        free(steps[s]);
    }
    return 0;
}

static int apply(const char *text)
{
    FILE *file = fmemopen((void *)text, strlen(text), "r");

    assert_non_null(file);
    int result = course_read(file, "x.course", steps, 2, error, sizeof(error));
    fclose(file);
    return result;
}

#define assert_refused(text, words)                                            \
    do {                                                                       \
        assert_int_equal(apply(text), -1);                                     \
        assert_string_equal(error, words);                                     \
    } while (0)

static void points_are_set_and_added_up(void **state)
{
    (void)state;
    assert_int_equal(apply("# ours\n\n"
                           "points alpha/listens 4.25  # more\n"
                           "sum alpha 12.25\n"
                           "total 22.25\n"),
                     0);
    assert_true(steps[0]->cases[1].points == 4.25);
    assert_true(steps[0]->points == 12.25);
    assert_true(steps[1]->points == 10);
}

static void a_pattern_names_several_and_later_lines_win(void **state)
{
    (void)state;
    assert_int_equal(apply("points */* 1\npoints alpha/reaps 0\ntotal 7\n"), 0);
    assert_true(steps[0]->points == 3 && steps[1]->points == 4);
}

static void cases_are_hidden_for_ever_or_until(void **state)
{
    (void)state;
    assert_int_equal(apply("hide */reaps\n"
                           "hide alpha/echoes until due\n"
                           "hide beta/echoes until published\n"),
                     0);
    assert_int_equal(steps[0]->cases[3].visibility, HIDDEN);
    assert_int_equal(steps[0]->cases[2].visibility, AFTER_DUE_DATE);
    assert_int_equal(steps[1]->cases[2].visibility, AFTER_PUBLISHED);
    assert_int_equal(steps[1]->cases[1].visibility, VISIBLE);
}

static void the_tables_of_the_kit_stay_as_they_are(void **state)
{
    (void)state;
    assert_int_equal(apply("points */* 9\nhide */*\ntotal 72\n"), 0);
    assert_true(fixture_cases[1].points == 2);
    assert_int_equal(fixture_cases[1].visibility, VISIBLE);
}

static void unknown_names_are_refused(void **state)
{
    (void)state;
    assert_refused("\nhide alpha/flies\n",
                   "x.course:2: no case is named alpha/flies; a name is "
                   "STEP/CASE, such as forked/listens (`make list` shows them "
                   "all)");
    assert_refused("sum gamma 3\n", "x.course:1: there is no step gamma");
    assert_refused("show alpha/echoes\n",
                   "x.course:1: a line begins with points, hide, sum or total, "
                   "not show");
    assert_refused("hide alpha/echoes until noon\n",
                   "x.course:1: until due or published, not noon");
}

static void bad_numbers_are_refused(void **state)
{
    static const char *const numbers[] = {"many", "-1",  "1e3", "nan",
                                          "0x10", "inf", "1,5", "3x"};
    char line[64], words[128];

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(numbers); i++) {
        snprintf(line, sizeof(line), "points alpha/echoes %s\n", numbers[i]);
        snprintf(words, sizeof(words),
                 "x.course:1: points are a number from 0 to 10000, not %s",
                 numbers[i]);
        assert_refused(line, words);
    }
    assert_refused("total 10.3\n", "x.course:1: points come in quarters "
                                   "(0.25, 0.5 ...), not 10.3");
}

static void lines_of_another_shape_are_refused(void **state)
{
    (void)state;
    assert_refused("points alpha/echoes\n",
                   "x.course:1: this wants: points STEP/CASE N");
    assert_refused("hide\n", "x.course:1: this wants: hide STEP/CASE [until "
                             "due|published]");
    assert_refused("hide alpha/echoes until\n",
                   "x.course:1: this wants: hide STEP/CASE [until "
                   "due|published]");
    assert_refused("hide alpha/echoes until due now\n",
                   "x.course:1: this wants: hide STEP/CASE [until "
                   "due|published]");
    assert_refused("sum alpha\n", "x.course:1: this wants: sum STEP N");
    assert_refused("total\n", "x.course:1: this wants: total N");
}

static void sums_that_are_wrong_are_refused(void **state)
{
    (void)state;
    assert_refused("points alpha/echoes 4\nsum alpha 10\ntotal 20.5\n",
                   "x.course:2: the cases of alpha add up to 10.5 points, not "
                   "10");
    release_steps(state);
    copy_steps(state);
    assert_refused("total 100\n",
                   "x.course:1: all cases add up to 20 points, not 100");
    assert_refused("hide beta/reaps\npoints alpha/echoes 4\n",
                   "x.course:2: points are set, but no line says what all add "
                   "up to; if it is meant to be 20.5, add: total 20.5");
}

static void a_hidden_case_that_would_be_told_of_is_refused(void **state)
{
    (void)state;
    assert_refused("hide alpha/listens\n",
                   "x.course: alpha/listens is hidden, but echoes builds on it "
                   "and would tell of it: hide both or none");
    assert_int_equal(apply("hide alpha/echoes\n"), 0);
}

#define COURSE_TEST(name)                                                      \
    cmocka_unit_test_setup_teardown(name, copy_steps, release_steps)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COURSE_TEST(points_are_set_and_added_up),
        COURSE_TEST(a_pattern_names_several_and_later_lines_win),
        COURSE_TEST(cases_are_hidden_for_ever_or_until),
        COURSE_TEST(the_tables_of_the_kit_stay_as_they_are),
        COURSE_TEST(unknown_names_are_refused),
        COURSE_TEST(bad_numbers_are_refused),
        COURSE_TEST(lines_of_another_shape_are_refused),
        COURSE_TEST(sums_that_are_wrong_are_refused),
        COURSE_TEST(a_hidden_case_that_would_be_told_of_is_refused),
    };

    unit_begin();
    return cmocka_run_group_tests_name("course", tests, NULL, NULL) != 0;
}
