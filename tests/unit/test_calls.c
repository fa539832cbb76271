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

/* ---- What the program's calls meet: the interposer's own ---- */

static char exported[16384]; /* "\nread\nwrite\n..." */

static int list_exports(void **state)
{
    char command[512];
    size_t len = 1;

    (void)state;
    snprintf(command, sizeof(command), "nm -D --defined-only --format=posix %s",
             getenv("FAULTLINE_INTERPOSER"));
    FILE *list = popen(command, "r");
    if (!list)
        return -1;
    strcpy(exported, "\n");
    while (len < sizeof(exported) - 80 &&
           fscanf(list, "%63[^ @]%*[^\n]\n", exported + len) == 1) {
        len += strlen(exported + len);
        strcpy(exported + len++, "\n");
    }
    return pclose(list);
}

static bool is_exported(const char *name)
{
    char line[80];

    snprintf(line, sizeof(line), "\n%s\n", name);
    return strstr(exported, line) != NULL;
}

/* Those of libc that do the same; <bits/...2.h> make them of the plain ones
 * where a submission sets _FORTIFY_SOURCE, or large files are asked for. */
static const char *const twins[] = {
    "__read_chk",  "__recv_chk",    "__recvfrom_chk", "__poll_chk",
    "__ppoll_chk", "__dprintf_chk", "__vdprintf_chk", "vdprintf",
    "fcntl64",     "dup3",          "epoll_create",   "_Exit",
};

/* Ours are no calls of libc's, but what the trace tells beside them. */
static bool is_ours(enum call_id id)
{
    return strncmp(call_point(id), "faultline/", strlen("faultline/")) == 0;
}

static void each_call_is_wrapped(void **state)
{
    (void)state;
    assert_false(is_exported("opendir"));
    for (enum call_id id = CALL_none + 1; id < CALL_COUNT; id++)
        if (!is_ours(id) && !is_exported(call_name(id)))
            fail_msg("%s() is not wrapped", call_name(id));
}

static void so_is_each_of_their_twins(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(twins); i++)
        if (!is_exported(twins[i]))
            fail_msg("%s() is not wrapped", twins[i]);
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
        cmocka_unit_test(each_call_is_wrapped),
        cmocka_unit_test(so_is_each_of_their_twins),
    };

    unit_begin();
    return cmocka_run_group_tests_name("calls", tests, list_exports, NULL) != 0;
}
