/* test_steps.c - the tables of cases, as tables. */
#include "unit.h"

#include "../../harness/fault.h"
#include "../../harness/result.h"

#include <ctype.h>

#define EACH_CASE(at, i)                                                       \
    for (STEPS_EACH(at))                                                       \
        for (size_t i = 0; i < (*at)->count; i++)

#define SAY(step, row, words)                                                  \
    fail_msg("%s: %s: %s", (step)->name, (row)->name, words)

static size_t index_of(const struct step *step, const char *name)
{
    for (size_t i = 0; i < step->count; i++)
        if (strcmp(step->cases[i].name, name) == 0)
            return i;
    return step->count;
}

static void the_steps_are_those_of_the_contract_in_order(void **state)
{
    static const char *const names[] = {"client", "sequential", "forked",
                                        "reaper", "sigpipe",    "threaded",
                                        "select"};
    size_t n = 0;

    (void)state;
    for (STEPS_EACH(at)) {
        assert_in_range(n, 0, UNIT_COUNT(names) - 1);
        assert_string_equal((*at)->name, names[n++]);
    }
    assert_int_equal(n, UNIT_COUNT(names));
}

static void a_step_is_built_from_the_file_of_its_name(void **state)
{
    char source[64];

    (void)state;
    for (STEPS_EACH(at)) {
        snprintf(source, sizeof(source), "%s.c", (*at)->name);
        assert_string_equal((*at)->source, source);
        assert_int_equal((*at)->is_client, strcmp((*at)->name, "client") == 0);
    }
}

static void a_steps_intent_is_one_line(void **state)
{
    (void)state;
    for (STEPS_EACH(at)) {
        assert_true((*at)->intent[0]);
        assert_null(strchr((*at)->intent, '\n'));
        assert_true(strlen((*at)->intent) <= 60);
    }
}

static void a_steps_cases_fit_a_result(void **state)
{
    (void)state;
    for (STEPS_EACH(at))
        assert_in_range((*at)->count, 1, RESULT_CASES);
}

static void names_are_unique_within_their_step(void **state)
{
    (void)state;
    EACH_CASE(at, i)
    {
        if (index_of(*at, (*at)->cases[i].name) != i)
            SAY(*at, &(*at)->cases[i], "the name is taken");
    }
}

static void names_are_claims_in_lower_case(void **state)
{
    (void)state;
    EACH_CASE(at, i)
    {
        for (const char *c = (*at)->cases[i].name; *c; c++)
            if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) &&
                *c != '_')
                SAY(*at, &(*at)->cases[i], "not in lower case");
    }
}

static void the_first_case_is_that_it_compiles(void **state)
{
    (void)state;
    for (STEPS_EACH(at)) {
        assert_int_equal((*at)->cases[0].obligation, OBLIGATION_build);
        assert_null((*at)->cases[0].play);
        assert_null((*at)->cases[0].needs);
    }
}

static void every_other_case_has_a_play(void **state)
{
    (void)state;
    EACH_CASE(at, i)
    {
        if (i > 0 && !(*at)->cases[i].play)
            SAY(*at, &(*at)->cases[i], "nothing is played");
    }
}

static void points_come_in_quarters(void **state)
{
    (void)state;
    EACH_CASE(at, i)
    {
        double quarters = (*at)->cases[i].points * 4;

        if (quarters < 0 || quarters != (int)quarters)
            SAY(*at, &(*at)->cases[i], "not in quarters");
    }
}

static void a_steps_points_are_the_sum_of_its_cases(void **state)
{
    (void)state;
    for (STEPS_EACH(at)) {
        double sum = 0;

        for (size_t i = 0; i < (*at)->count; i++)
            sum += (*at)->cases[i].points;
        if (sum != (*at)->points)
            fail_msg("%s: %g points in the table, %g said", (*at)->name, sum,
                     (*at)->points);
    }
}

static void all_steps_are_worth_100_points(void **state)
{
    double sum = 0;

    (void)state;
    for (STEPS_EACH(at))
        sum += (*at)->points;
    if (sum != 100)
        fail_msg("the steps are worth %g points", sum);
}

static void a_case_needs_an_earlier_one_only(void **state)
{
    (void)state;
    EACH_CASE(at, i)
    {
        const struct step_case *row = &(*at)->cases[i];

        if (row->needs && index_of(*at, row->needs) >= i)
            SAY(*at, row, "needs what does not come before");
    }
}

static bool is_sentence(const char *text)
{
    return text && text[0] && strchr(text, ' ') &&
           strchr(".?!", text[strlen(text) - 1]) && !strchr(text, '\n');
}

static void why_and_hint_are_sentences(void **state)
{
    (void)state;
    EACH_CASE(at, i)
    {
        if (!is_sentence((*at)->cases[i].why))
            SAY(*at, &(*at)->cases[i], "why is no sentence");
        if (!is_sentence((*at)->cases[i].hint))
            SAY(*at, &(*at)->cases[i], "hint is no sentence");
    }
}

/* "accept(2)" or "RFC 862": where the rule comes from. */
static bool names_its_page(const char *text)
{
    for (const char *at = text; (at = strchr(at, '(')); at++)
        if (at > text && isalnum((unsigned char)at[-1]) &&
            isdigit((unsigned char)at[1]) && strchr(at, ')'))
            return true;
    return strstr(text, "RFC ");
}

static void why_names_the_page_of_its_rule(void **state)
{
    (void)state;
    assert_true(names_its_page("It may fail: fork(2)."));
    assert_true(names_its_page("An echo: RFC 862."));
    assert_false(names_its_page("It may fail (2 times)."));
    EACH_CASE(at, i)
    {
        if (!names_its_page((*at)->cases[i].why))
            SAY(*at, &(*at)->cases[i], "why names no page");
    }
}

static void faults_can_be_read(void **state)
{
    (void)state;
    EACH_CASE(at, i)
    {
        struct fault plan[FAULT_MAX];
        const char *error = "";

        if (fault_parse_plan(plan, (*at)->cases[i].faults, &error) < 0)
            SAY(*at, &(*at)->cases[i], error);
    }
}

static void obligations_are_known(void **state)
{
    (void)state;
    EACH_CASE(at, i)
    assert_in_range((*at)->cases[i].obligation, 0, OBLIGATION_COUNT - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_steps_are_those_of_the_contract_in_order),
        cmocka_unit_test(a_step_is_built_from_the_file_of_its_name),
        cmocka_unit_test(a_steps_intent_is_one_line),
        cmocka_unit_test(a_steps_cases_fit_a_result),
        cmocka_unit_test(names_are_unique_within_their_step),
        cmocka_unit_test(names_are_claims_in_lower_case),
        cmocka_unit_test(the_first_case_is_that_it_compiles),
        cmocka_unit_test(every_other_case_has_a_play),
        cmocka_unit_test(points_come_in_quarters),
        cmocka_unit_test(a_steps_points_are_the_sum_of_its_cases),
        cmocka_unit_test(all_steps_are_worth_100_points),
        cmocka_unit_test(a_case_needs_an_earlier_one_only),
        cmocka_unit_test(why_and_hint_are_sentences),
        cmocka_unit_test(why_names_the_page_of_its_rule),
        cmocka_unit_test(faults_can_be_read),
        cmocka_unit_test(obligations_are_known),
    };

    unit_begin();
    return cmocka_run_group_tests_name("steps", tests, NULL, NULL) != 0;
}
