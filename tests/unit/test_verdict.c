/* test_verdict.c - names and texts of verdicts. */
#include "unit.h"

#include "../../harness/verdict.h"

static void obligations_have_the_names_of_the_report(void **state)
{
    (void)state;
    assert_string_equal(obligation_name(OBLIGATION_build), "build");
    assert_string_equal(obligation_name(OBLIGATION_zombie), "zombie");
    assert_string_equal(obligation_name(OBLIGATION_isolation), "isolation");
    assert_int_equal(OBLIGATION_COUNT, 20);
}

static void statuses_have_the_names_of_the_report(void **state)
{
    (void)state;
    assert_string_equal(verdict_status_name(VERDICT_PASS), "pass");
    assert_string_equal(verdict_status_name(VERDICT_FAIL), "fail");
    assert_string_equal(verdict_status_name(VERDICT_SKIP), "skip");
    assert_string_equal(verdict_status_name(VERDICT_ERROR), "error");
}

static void a_message_tells_both_sides(void **state)
{
    struct verdict verdict = {.expected = "an echo", .came = "nothing"};
    char text[256];

    (void)state;
    verdict_message(&verdict, text, sizeof(text));
    assert_non_null(strstr(text, "an echo"));
    assert_non_null(strstr(text, "nothing"));
    assert_true(strstr(text, "an echo") < strstr(text, "nothing"));
}

static void a_message_without_expectation_is_what_came(void **state)
{
    struct verdict verdict = {.came = "skipped: it builds on listens"};
    char text[256];

    (void)state;
    assert_string_equal(verdict_message(&verdict, text, sizeof(text)),
                        "skipped: it builds on listens");
}

static void a_message_that_does_not_fit_is_cut(void **state)
{
    struct verdict verdict = {.came = "123456789"};
    char text[16] = "***************";

    (void)state;
    assert_string_equal(verdict_message(&verdict, text, 5), "1234");
    assert_int_equal(text[5], '*');
}

static void percent_signs_are_no_format(void **state)
{
    struct verdict verdict = {.expected = "%s%n", .came = "%d"};
    char text[64];

    (void)state;
    verdict_message(&verdict, text, sizeof(text));
    assert_non_null(strstr(text, "%s%n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(obligations_have_the_names_of_the_report),
        cmocka_unit_test(statuses_have_the_names_of_the_report),
        cmocka_unit_test(a_message_tells_both_sides),
        cmocka_unit_test(a_message_without_expectation_is_what_came),
        cmocka_unit_test(a_message_that_does_not_fit_is_cut),
        cmocka_unit_test(percent_signs_are_no_format),
    };

    unit_begin();
    return cmocka_run_group_tests_name("verdict", tests, NULL, NULL) != 0;
}
