/* test_catalogue.c - the table of failures, as a table. */
#include "unit.h"

#include "../../harness/catalogue.h"

#define EACH(row)                                                              \
    const struct failure *row = catalogue;                                     \
    row < catalogue + catalogue_count;                                         \
    row++

static const struct failure *find(enum call_family family,
                                  enum fault_action action, int value)
{
    for (EACH(row))
        if (row->family == family && row->action == action &&
            row->value == value)
            return row;
    return NULL;
}

static enum failure_class class_of(enum call_family family, int value)
{
    const struct failure *row = find(family, FAULT_ERRNO, value);

    assert_non_null(row);
    return row->class;
}

static void no_failure_is_there_twice(void **state)
{
    (void)state;
    for (EACH(row))
        assert_ptr_equal(find(row->family, row->action, row->value), row);
}

static void every_failure_names_its_manual_page(void **state)
{
    (void)state;
    for (EACH(row)) {
        const char *section = strchr(row->page, '(');

        assert_non_null(section);
        assert_true(section > row->page && section[1] >= '2');
    }
}

/* A plan that a sweep prints is read again by make replay. */
static void every_failure_can_be_typed(void **state)
{
    (void)state;
    for (EACH(row)) {
        struct fault fault = {.family = (uint16_t)row->family,
                              .conn = row->on_connection ? 2 : FAULT_CONN_ANY,
                              .first = 3,
                              .last = row->lasts ? FAULT_FOREVER : 3,
                              .action = row->action,
                              .value = row->value};
        struct fault again;
        const char *error = "";
        char text[96];

        fault_format(&fault, text, sizeof(text));
        if (fault_parse(&again, text, &error) < 0)
            fail_msg("%s: %s", text, error);
        assert_memory_equal(&fault, &again, sizeof(fault));
    }
}

static void only_what_moves_bytes_can_be_short(void **state)
{
    (void)state;
    for (EACH(row))
        if (row->action == FAULT_SHORT) {
            assert_true(row->family == FAMILY_READ ||
                        row->family == FAMILY_WRITE);
            assert_int_equal(row->when, WHEN_LONGER);
        } else {
            assert_int_not_equal(row->when, WHEN_LONGER);
        }
}

static void an_interruption_wants_a_handler(void **state)
{
    (void)state;
    for (EACH(row))
        assert_int_equal(row->action == FAULT_ERRNO && row->value == EINTR,
                         row->when == WHEN_HANDLER);
}

/* From a call that waits; fork and pthread_create mean a shortage by it, and
 * getaddrinfo that the name servers are busy. */
static void eagain_wants_a_non_blocking_descriptor(void **state)
{
    (void)state;
    for (EACH(row))
        if (row->action == FAULT_ERRNO && row->value == EAGAIN &&
            row->class == CLASS_TRANSPARENT)
            assert_int_equal(row->when, WHEN_NONBLOCK);
        else
            assert_int_not_equal(row->when, WHEN_NONBLOCK);
}

static void what_lasts_is_a_shortage_or_ends_the_start(void **state)
{
    (void)state;
    for (EACH(row))
        if (row->lasts)
            assert_true(row->class == CLASS_RESOURCE ||
                        row->class == CLASS_STARTUP);
}

/* A program may close a descriptor of its own and find one. */
static void a_lack_of_descriptors_lasts_by_a_real_limit_only(void **state)
{
    (void)state;
    assert_false(find(FAMILY_ACCEPT, FAULT_ERRNO, EMFILE)->lasts);
    assert_true(find(FAMILY_ACCEPT, FAULT_ERRNO, ENFILE)->lasts);
}

static void classes_are_those_of_the_lab_sheet(void **state)
{
    static const int transparent[] = {EINTR, EAGAIN, ECONNABORTED, EPROTO};
    static const int shortage[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM};
    static const int broken[] = {ECONNRESET, ETIMEDOUT, EPIPE};

    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(transparent); i++)
        assert_int_equal(class_of(FAMILY_ACCEPT, transparent[i]),
                         CLASS_TRANSPARENT);
    for (size_t i = 0; i < UNIT_COUNT(shortage); i++)
        assert_int_equal(class_of(FAMILY_ACCEPT, shortage[i]), CLASS_RESOURCE);
    for (size_t i = 0; i < UNIT_COUNT(broken); i++)
        assert_int_equal(class_of(FAMILY_WRITE, broken[i]), CLASS_CONNECTION);
    assert_int_equal(class_of(FAMILY_READ, ECONNRESET), CLASS_CONNECTION);
    assert_int_equal(class_of(FAMILY_READ, ETIMEDOUT), CLASS_CONNECTION);
    assert_int_equal(class_of(FAMILY_FORK, EAGAIN), CLASS_RESOURCE);
    assert_int_equal(class_of(FAMILY_PTHREAD_CREATE, EAGAIN), CLASS_RESOURCE);
    assert_int_equal(class_of(FAMILY_MALLOC, ENOMEM), CLASS_RESOURCE);
    assert_int_equal(class_of(FAMILY_BIND, EADDRINUSE), CLASS_STARTUP);
    assert_int_equal(class_of(FAMILY_CONNECT, ECONNREFUSED), CLASS_STARTUP);
}

static void a_rule_is_named_for_every_failure(void **state)
{
    (void)state;
    assert_int_equal(failure_obligation(find(FAMILY_WRITE, FAULT_SHORT, 1)),
                     OBLIGATION_partial);
    assert_int_equal(
        failure_obligation(find(FAMILY_ACCEPT, FAULT_ERRNO, EINTR)),
        OBLIGATION_interrupt);
    assert_int_equal(
        failure_obligation(find(FAMILY_ACCEPT, FAULT_ERRNO, EPROTO)),
        OBLIGATION_accept);
    assert_int_equal(
        failure_obligation(find(FAMILY_READ, FAULT_ERRNO, ECONNRESET)),
        OBLIGATION_reset);
    assert_int_equal(failure_obligation(find(FAMILY_WRITE, FAULT_ERRNO, EPIPE)),
                     OBLIGATION_sigpipe);
    assert_int_equal(failure_obligation(find(FAMILY_FORK, FAULT_ERRNO, EAGAIN)),
                     OBLIGATION_fork);
    assert_int_equal(
        failure_obligation(find(FAMILY_MALLOC, FAULT_ERRNO, ENOMEM)),
        OBLIGATION_memory);
    assert_int_equal(failure_obligation(find(FAMILY_BIND, FAULT_ERRNO, EACCES)),
                     OBLIGATION_startup);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_failure_is_there_twice),
        cmocka_unit_test(every_failure_names_its_manual_page),
        cmocka_unit_test(every_failure_can_be_typed),
        cmocka_unit_test(only_what_moves_bytes_can_be_short),
        cmocka_unit_test(an_interruption_wants_a_handler),
        cmocka_unit_test(eagain_wants_a_non_blocking_descriptor),
        cmocka_unit_test(what_lasts_is_a_shortage_or_ends_the_start),
        cmocka_unit_test(a_lack_of_descriptors_lasts_by_a_real_limit_only),
        cmocka_unit_test(classes_are_those_of_the_lab_sheet),
        cmocka_unit_test(a_rule_is_named_for_every_failure),
    };

    unit_begin();
    return cmocka_run_group_tests_name("catalogue", tests, NULL, NULL) != 0;
}
