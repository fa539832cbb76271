/* test_fault.c - fault plans: text to struct and back. */
#include "unit.h"

#include "../../harness/fault.h"

#include <ctype.h>

static struct fault parsed(const char *text)
{
    struct fault fault;
    const char *error = "";

    if (fault_parse(&fault, text, &error) < 0)
        fail_msg("'%s' is refused: %s", text, error);
    return fault;
}

static void assert_formats_to(const char *text, const char *expected)
{
    struct fault fault = parsed(text);
    char back[160];

    assert_string_equal(fault_format(&fault, back, sizeof(back)), expected);
}

static void assert_refused(const char *text)
{
    struct fault fault;
    const char *error = NULL;

    if (fault_parse(&fault, text, &error) == 0)
        fail_msg("'%s' is taken", text);
    assert_non_null(error);
    assert_non_null(strchr(error, ' ')); /* a sentence, not a code */
}

static void every_form_formats_to_itself(void **state)
{
    static const char *const forms[] = {
        "write@conn2#1=short:1",
        "fork#2=EAGAIN",
        "accept#3..=ENFILE",
        "read@conn1#2..4=EINTR",
        "accept#1=hold",
        "read@conn1#1=hold-after",
        "accept#1=ECONNABORTED+SIGCHLD",
        "accept#2=drop",
        "write@conn12#1..=short:-3",
        "recv#7=short:half",
        "any#1=EIO",
        "pthread_create#1=EAGAIN",
        "accept4#1=hold+SIGTERM",
        "malloc#1..4294967294=ENOMEM",
        "write@conn2147483647#4294967294=EPIPE",
        "_exit#1=hold",
        "thread_start#1=hold",
    };

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(forms); i++)
        assert_formats_to(forms[i], forms[i]);
}

static void a_fault_without_a_number_means_the_first_call(void **state)
{
    (void)state;
    assert_formats_to("write=short:1", "write#1=short:1");
    assert_formats_to("read@conn3=EIO", "read@conn3#1=EIO");
}

static void parsing_what_was_formatted_gives_the_same_fault(void **state)
{
    struct fault one = parsed("readv@conn4#2..9=short:-7+SIGCHLD"), two;
    const char *error;
    char text[160];

    (void)state;
    fault_format(&one, text, sizeof(text));
    assert_int_equal(fault_parse(&two, text, &error), 0);
    assert_memory_equal(&one, &two, sizeof(one));
}

static void every_call_of_the_table_can_be_named(void **state)
{
    (void)state;
    for (int id = CALL_none + 1; id < CALL_COUNT; id++) {
        char text[64];

        snprintf(text, sizeof(text), "%s#1=hold", call_name(id));
        assert_formats_to(text, text);
    }
}

static void every_family_can_be_named(void **state)
{
#define NAME(name) #name,
    static const char *const names[] = {FAMILIES(NAME)};
#undef NAME

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(names); i++) {
        char text[64];

        snprintf(text, sizeof(text), "%s#1=hold", names[i]);
        struct fault fault = parsed(text);
        assert_int_equal(fault.family, i + 1);
        assert_int_equal(fault.call, CALL_none);
    }
}

static void a_name_of_both_means_the_family(void **state)
{
    struct fault fault = parsed("read#1=EIO");

    (void)state;
    assert_int_equal(fault.family, FAMILY_READ);
    assert_int_equal(fault.call, CALL_none);
}

static void a_name_of_a_call_only_means_that_call(void **state)
{
    struct fault fault = parsed("recv#1=EIO");

    (void)state;
    assert_int_equal(fault.family, FAMILY_NONE);
    assert_int_equal(fault.call, CALL_recv);
}

static void any_means_neither_call_nor_family(void **state)
{
    struct fault fault = parsed("any#1=EIO");

    (void)state;
    assert_int_equal(fault.family, FAMILY_NONE);
    assert_int_equal(fault.call, CALL_none);
}

static void ranges_have_a_first_and_a_last(void **state)
{
    (void)state;
    assert_int_equal(parsed("read#5=EIO").first, 5);
    assert_int_equal(parsed("read#5=EIO").last, 5);
    assert_int_equal(parsed("read#2..4=EIO").first, 2);
    assert_int_equal(parsed("read#2..4=EIO").last, 4);
    assert_int_equal(parsed("read#3..3=EIO").last, 3);
    assert_true(parsed("read#3..=EIO").last == FAULT_FOREVER);
}

static void a_connection_is_any_or_the_one_named(void **state)
{
    (void)state;
    assert_int_equal(parsed("read#1=EIO").conn, FAULT_CONN_ANY);
    assert_int_equal(parsed("read@conn7#1=EIO").conn, 7);
}

static void actions_have_their_values(void **state)
{
    (void)state;
    assert_int_equal(parsed("read#1=ETIMEDOUT").action, FAULT_ERRNO);
    assert_int_equal(parsed("read#1=ETIMEDOUT").value, ETIMEDOUT);
    assert_int_equal(parsed("read#1=short:9").action, FAULT_SHORT);
    assert_int_equal(parsed("read#1=short:9").value, 9);
    assert_int_equal(parsed("read#1=short:-9").value, -9);
    assert_int_equal(parsed("read#1=short:half").value, 0);
    assert_int_equal(parsed("read#1=hold").action, FAULT_HOLD);
    assert_int_equal(parsed("read#1=hold-after").action, FAULT_HOLD_AFTER);
}

static void a_signal_is_kept_beside_the_failure(void **state)
{
    struct fault fault = parsed("accept#1=ECONNABORTED+SIGCHLD");

    (void)state;
    assert_int_equal(fault.signal, SIGCHLD);
    assert_int_equal(fault.value, ECONNABORTED);
    assert_int_equal(parsed("accept#1=ECONNABORTED").signal, 0);
}

static void every_errno_of_the_contract_is_known(void **state)
{
    static const char *const names[] = {
        "EINTR",  "EAGAIN", "ECONNABORTED", "EPROTO",    "ECONNRESET",
        "EPIPE",  "EMFILE", "ENFILE",       "ETIMEDOUT", "ENOBUFS",
        "ENOMEM", "EIO",    "EADDRINUSE",   "EACCES",    "ECONNREFUSED",
    };

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(names); i++) {
        char text[64];

        snprintf(text, sizeof(text), "read#1=%s", names[i]);
        assert_formats_to(text, text);
    }
}

static void bad_names_are_refused(void **state)
{
    (void)state;
    assert_refused("");
    assert_refused("=EIO");
    assert_refused("#1=EIO");
    assert_refused("nosuchcall#1=EIO");
    assert_refused("none#1=EIO");
    assert_refused(" read#1=EIO");
    assert_refused("read #1=EIO");
    assert_refused("a-name-that-is-longer-than-any-buffer-that-could-hold-"
                   "the-name-of-a-call#1=EIO");
}

static void bad_connections_are_refused(void **state)
{
    (void)state;
    assert_refused("read@#1=EIO");
    assert_refused("read@3#1=EIO");
    assert_refused("read@conn#1=EIO");
    assert_refused("read@conn0#1=EIO");
    assert_refused("read@conn-1#1=EIO");
    assert_refused("read@conn2147483648#1=EIO");
    assert_refused("read@conn1@conn2#1=EIO");
    assert_refused("read#1@conn1=EIO");
}

static void bad_ranges_are_refused(void **state)
{
    (void)state;
    assert_refused("read#=EIO");
    assert_refused("read#0=EIO");
    assert_refused("read#-1=EIO");
    assert_refused("read#+1=EIO");
    assert_refused("read#x=EIO");
    assert_refused("read#4..2=EIO");
    assert_refused("read#1..0=EIO");
    assert_refused("read#1.2=EIO");
    assert_refused("read#1...=EIO");
    assert_refused("read#..3=EIO");
    assert_refused("read#4294967295=EIO");
    assert_refused("read#99999999999999999999=EIO");
}

static void bad_actions_are_refused(void **state)
{
    (void)state;
    assert_refused("read");
    assert_refused("read#1");
    assert_refused("read#1=");
    assert_refused("read#1=5");
    assert_refused("read#1=eio");
    assert_refused("read#1=ENOSUCH");
    assert_refused("read#1=holds");
    assert_refused("read#1=EIO ");
    assert_refused("read#1=EIO=EIO");
    assert_refused("read#1=an-action-that-is-longer-than-any-buffer-that-"
                   "could-hold-a-failure");
}

static void bad_shortenings_are_refused(void **state)
{
    (void)state;
    assert_refused("read#1=short");
    assert_refused("read#1=short:");
    assert_refused("read#1=short:0");
    assert_refused("read#1=short:x");
    assert_refused("read#1=short:1x");
    assert_refused("read#1=short:quarter");
    assert_refused("read#1=short:99999999999999999999");
}

static void bad_signals_are_refused(void **state)
{
    (void)state;
    assert_refused("read#1=EIO+");
    assert_refused("read#1=EIO+CHLD");
    assert_refused("read#1=EIO+SIGNOSUCH");
    assert_refused("read#1=EIO+17");
    assert_refused("read#1=+SIGCHLD");
}

static void the_refusal_speaks_of_the_part_that_is_wrong(void **state)
{
    struct fault fault;
    const char *error;

    (void)state;
    fault_parse(&fault, "read@conn0#1=EIO", &error);
    assert_non_null(strstr(error, "@conn"));
    fault_parse(&fault, "read#0=EIO", &error);
    assert_non_null(strstr(error, "'#'"));
    fault_parse(&fault, "read#1=short:x", &error);
    assert_non_null(strstr(error, "short:"));
    fault_parse(&fault, "read#1=EIO+X", &error);
    assert_non_null(strstr(error, "signal"));
}

static void a_text_that_does_not_fit_is_cut(void **state)
{
    struct fault fault = parsed("write@conn2#1=short:1");
    char text[16] = "***************";

    (void)state;
    assert_string_equal(fault_format(&fault, text, 6), "write");
    assert_int_equal(text[6], '*');
}

static void no_text_is_an_empty_plan(void **state)
{
    struct fault plan[FAULT_MAX];
    const char *error;

    (void)state;
    assert_int_equal(fault_parse_plan(plan, NULL, &error), 0);
    assert_int_equal(fault_parse_plan(plan, "", &error), 0);
}

static void a_plan_keeps_the_order_of_its_faults(void **state)
{
    struct fault plan[FAULT_MAX];
    const char *error;

    (void)state;
    assert_int_equal(
        fault_parse_plan(plan, "fork#2=EAGAIN,read@conn1#1=hold", &error), 2);
    assert_int_equal(plan[0].family, FAMILY_FORK);
    assert_int_equal(plan[1].family, FAMILY_READ);
    assert_int_equal(plan[1].conn, 1);
}

static int parse_plan_of(unsigned count)
{
    struct fault plan[FAULT_MAX];
    const char *error = NULL;
    char text[512] = "";

    for (unsigned i = 0; i < count; i++)
        strcat(text, i ? ",read#1=EIO" : "read#1=EIO");
    int result = fault_parse_plan(plan, text, &error);
    assert_true(result >= 0 || strchr(error, ' '));
    return result;
}

static void a_plan_holds_16_faults(void **state)
{
    (void)state;
    assert_int_equal(parse_plan_of(16), 16);
}

static void a_plan_of_17_faults_is_refused(void **state)
{
    (void)state;
    assert_int_equal(parse_plan_of(17), -1);
}

static void one_bad_fault_spoils_the_plan(void **state)
{
    struct fault plan[FAULT_MAX];
    const char *error = NULL;

    (void)state;
    assert_int_equal(fault_parse_plan(plan, "read#1=EIO,bad", &error), -1);
    assert_non_null(error);
    assert_int_equal(fault_parse_plan(plan, ",read#1=EIO", &error), -1);
    assert_int_equal(fault_parse_plan(plan, "read#1=EIO,,read#2=EIO", &error),
                     -1);
}

static void an_endless_fault_in_a_plan_is_refused(void **state)
{
    struct fault plan[FAULT_MAX];
    const char *error = NULL;
    char text[400];

    (void)state;
    memset(text, 'r', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(fault_parse_plan(plan, text, &error), -1);
    assert_non_null(strchr(error, ' '));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_formats_to_itself),
        cmocka_unit_test(a_fault_without_a_number_means_the_first_call),
        cmocka_unit_test(parsing_what_was_formatted_gives_the_same_fault),
        cmocka_unit_test(every_call_of_the_table_can_be_named),
        cmocka_unit_test(every_family_can_be_named),
        cmocka_unit_test(a_name_of_both_means_the_family),
        cmocka_unit_test(a_name_of_a_call_only_means_that_call),
        cmocka_unit_test(any_means_neither_call_nor_family),
        cmocka_unit_test(ranges_have_a_first_and_a_last),
        cmocka_unit_test(a_connection_is_any_or_the_one_named),
        cmocka_unit_test(actions_have_their_values),
        cmocka_unit_test(a_signal_is_kept_beside_the_failure),
        cmocka_unit_test(every_errno_of_the_contract_is_known),
        cmocka_unit_test(bad_names_are_refused),
        cmocka_unit_test(bad_connections_are_refused),
        cmocka_unit_test(bad_ranges_are_refused),
        cmocka_unit_test(bad_actions_are_refused),
        cmocka_unit_test(bad_shortenings_are_refused),
        cmocka_unit_test(bad_signals_are_refused),
        cmocka_unit_test(the_refusal_speaks_of_the_part_that_is_wrong),
        cmocka_unit_test(a_text_that_does_not_fit_is_cut),
        cmocka_unit_test(no_text_is_an_empty_plan),
        cmocka_unit_test(a_plan_keeps_the_order_of_its_faults),
        cmocka_unit_test(a_plan_holds_16_faults),
        cmocka_unit_test(a_plan_of_17_faults_is_refused),
        cmocka_unit_test(one_bad_fault_spoils_the_plan),
        cmocka_unit_test(an_endless_fault_in_a_plan_is_refused),
    };

    unit_begin();
    return cmocka_run_group_tests_name("fault", tests, NULL, NULL) != 0;
}
