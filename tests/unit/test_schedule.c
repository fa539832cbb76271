/* test_schedule.c - schedules of the clients: text to struct and back. */
#include "unit.h"

#include "../../harness/schedule.h"

static void assert_same(const char *text)
{
    struct schedule schedule;
    char again[SCHEDULE_TEXT];
    const char *error = "";

    assert_int_equal(schedule_parse(&schedule, text, &error), 0);
    assert_string_equal(schedule_format(&schedule, again, sizeof(again)), text);
}

static void assert_refused(const char *text, const char *why)
{
    struct schedule schedule;
    const char *error = "";

    assert_int_equal(schedule_parse(&schedule, text, &error), -1);
    assert_non_null(strstr(error, why));
}

static void each_act_has_its_text(void **state)
{
    (void)state;
    assert_same("1+");
    assert_same("1+,1:60,2+,2!,1.,1!");
}

static void what_is_no_act_is_refused(void **state)
{
    (void)state;
    assert_refused("", "begins with a client's number");
    assert_refused("x", "begins with a client's number");
    assert_refused("0+", "from 1 to 8");
    assert_refused("9+", "from 1 to 8");
    assert_refused("1", "behind a client's number");
    assert_refused("1?", "behind a client's number");
    assert_refused("1+,1:", "from 1 to 65536");
    assert_refused("1+,1:0", "from 1 to 65536");
    assert_refused("1+,1:65537", "from 1 to 65536");
    assert_refused("1+ 1.", "joined by");
    assert_refused("1+,", "joined by");
}

static void what_no_client_could_do_is_refused(void **state)
{
    (void)state;
    assert_refused("1:60", "connects before all else");
    assert_refused("2+", "in the order of their numbers");
    assert_refused("1+,1+", "in the order of their numbers");
    assert_refused("1+,1.,1:60", "has said all");
    assert_refused("1+,1!,1:60", "is gone");
}

static void the_longest_fits_its_text(void **state)
{
    struct schedule schedule = {.count = SCHEDULE_ACTS}, again;
    char text[SCHEDULE_TEXT];
    const char *error;

    (void)state;
    for (size_t i = 0; i < SCHEDULE_ACTS; i++)
        schedule.act[i] = (struct schedule_act){1, ACT_SEND, SCHEDULE_BYTES};
    schedule.act[0] = (struct schedule_act){1, ACT_CONNECT, 0};
    schedule_format(&schedule, text, sizeof(text));
    assert_int_equal(schedule_parse(&again, text, &error), 0);
    assert_int_equal(again.count, SCHEDULE_ACTS);
    strcat(text, ",1.");
    assert_refused(text, "at most 48 acts");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_act_has_its_text),
        cmocka_unit_test(what_is_no_act_is_refused),
        cmocka_unit_test(what_no_client_could_do_is_refused),
        cmocka_unit_test(the_longest_fits_its_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
