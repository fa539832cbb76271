/* test_calls.c - the table of calls, looked up. */
#include "unit.h"

#include "../../harness/calls.h"

static void a_call_is_found_by_its_name(void **state)
{
    (void)state;
    for (int id = CALL_none + 1; id < CALL_COUNT; id++)
        assert_int_equal(call_by_name(call_name(id)), id);
}

static void an_unknown_name_is_no_call(void **state)
{
    (void)state;
    assert_int_equal(call_by_name("nosuchcall"), CALL_none);
    assert_int_equal(call_by_name(""), CALL_none);
    assert_int_equal(call_by_name("READ"), CALL_none);
    assert_int_equal(call_by_name("none"), CALL_none);
}

static void no_call_has_texts_too(void **state)
{
    (void)state;
    assert_non_null(call_name(CALL_none));
    assert_non_null(call_point(CALL_none));
    assert_int_equal(call_family(CALL_none), FAMILY_NONE);
}

static void every_call_has_a_point_of_its_own(void **state)
{
    (void)state;
    for (int a = CALL_none + 1; a < CALL_COUNT; a++)
        for (int b = a + 1; b < CALL_COUNT; b++)
            assert_string_not_equal(call_point(a), call_point(b));
}

static void every_call_has_a_family(void **state)
{
    (void)state;
    for (int id = CALL_none + 1; id < CALL_COUNT; id++)
        assert_in_range(call_family(id), FAMILY_NONE + 1, FAMILY_COUNT - 1);
}

static void calls_that_do_the_same_are_of_one_family(void **state)
{
    (void)state;
    assert_int_equal(call_family(CALL_recv), FAMILY_READ);
    assert_int_equal(call_family(CALL_readv), FAMILY_READ);
    assert_int_equal(call_family(CALL_sendmsg), FAMILY_WRITE);
    assert_int_equal(call_family(CALL_accept4), FAMILY_ACCEPT);
    assert_int_equal(call_family(CALL_epoll_wait), FAMILY_POLL);
    assert_int_equal(call_family(CALL_wait3), FAMILY_WAIT);
    assert_int_equal(call_family(CALL_vfork), FAMILY_FORK);
    assert_int_equal(call_family(CALL_calloc), FAMILY_MALLOC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_found_by_its_name),
        cmocka_unit_test(an_unknown_name_is_no_call),
        cmocka_unit_test(no_call_has_texts_too),
        cmocka_unit_test(every_call_has_a_point_of_its_own),
        cmocka_unit_test(every_call_has_a_family),
        cmocka_unit_test(calls_that_do_the_same_are_of_one_family),
    };

    unit_begin();
    return cmocka_run_group_tests_name("calls", tests, NULL, NULL) != 0;
}
