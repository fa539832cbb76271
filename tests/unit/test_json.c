/* test_json.c - report.json holds what the machine interface promises. */
#include "result_fixture.h"

#include "../../harness/report/report.h"

#include <jansson.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char folder[PATH_MAX], path[PATH_MAX + 32];

static int make_folder(void **state)
{
    (void)state;
    unit_folder(folder);
    snprintf(path, sizeof(path), "%s/report.json", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unit_remove(folder);
    return 0;
}

/* As grade does it. */
static int write_report(void)
{
    json_t *document = report_document(&fixture);

    assert_non_null(document);
    int result = report_json(path, document), error = errno;
    json_decref(document);
    errno = error;
    return result;
}

static json_t *report(void)
{
    json_error_t error;

    assert_int_equal(write_report(), 0);
    json_t *root = json_load_file(path, 0, &error);
    if (!root)
        fail_msg("report.json does not parse: %s", error.text);
    return root;
}

static json_t *step_of(json_t *root, size_t step)
{
    return json_array_get(json_object_get(root, "steps"), step);
}

static json_t *case_of(json_t *root, size_t step, size_t row)
{
    return json_array_get(json_object_get(step_of(root, step), "cases"), row);
}

static const char *string_of(json_t *object, const char *key)
{
    const char *string = json_string_value(json_object_get(object, key));

    if (!string)
        fail_msg("there is no string '%s'", key);
    return string;
}

static int halves_of(json_t *object, const char *key)
{
    json_t *number = json_object_get(object, key);

    assert_true(json_is_number(number));
    return (int)(json_number_value(number) * 2);
}

static void the_head_tells_kit_score_and_isolation(void **state)
{
    json_t *root = report();

    (void)state;
    assert_string_equal(string_of(root, "kit"), "faultline");
    assert_true(string_of(root, "version")[0]);
    assert_int_equal(halves_of(root, "score"), 40);
    assert_int_equal(halves_of(root, "max_score"), 40);
    assert_true(json_is_true(json_object_get(root, "graded")));
    assert_string_equal(string_of(root, "isolation"), "plain");
    assert_int_equal(json_array_size(json_object_get(root, "steps")), 2);
    json_decref(root);
}

static void a_step_tells_name_score_and_time(void **state)
{
    fixture_steps[0].duration_ms = 310;
    json_t *root = report(), *step = step_of(root, 0);

    (void)state;
    assert_string_equal(string_of(step, "name"), "alpha");
    assert_int_equal(halves_of(step, "score"), 20);
    assert_int_equal(halves_of(step, "max_score"), 20);
    assert_int_equal(halves_of(step, "duration_ms"), 620);
    assert_int_equal(json_array_size(json_object_get(step, "cases")), 4);
    json_decref(root);
}

static void a_failed_case_tells_all_about_it(void **state)
{
    (void)state;
    fixture_judge(0, 2, VERDICT_FAIL, "nothing");
    strcpy(fixture_steps[0].verdict[2].expected, "an echo");
    json_t *root = report(), *row = case_of(root, 0, 2);
    assert_string_equal(string_of(row, "name"), "echoes");
    assert_string_equal(string_of(row, "obligation"), "echo");
    assert_string_equal(string_of(row, "status"), "fail");
    assert_int_equal(halves_of(row, "score"), 0);
    assert_int_equal(halves_of(row, "max_score"), 7);
    assert_string_equal(string_of(row, "why"), "It must echo.");
    assert_non_null(strstr(string_of(row, "message"), "an echo"));
    assert_string_equal(string_of(row, "hint"), "See write(2).");
    assert_string_equal(string_of(row, "faults"), "write@conn1#1=short:1");
    assert_true(json_is_number(json_object_get(row, "duration_ms")));
    json_decref(root);
    fixture_steps[0].verdict[2].hint = "Who counts?";
    root = report();
    assert_string_equal(string_of(case_of(root, 0, 2), "hint"), "Who counts?");
    json_decref(root);
}

static void every_case_has_every_key(void **state)
{
    static const char *const keys[] = {
        "name",    "obligation", "status", "score", "max_score", "why",
        "message", "hint",       "faults", "where", "replay",    "duration_ms",
    };
    json_t *root = report();

    (void)state;
    for (size_t row = 0; row < 4; row++)
        for (size_t i = 0; i < UNIT_COUNT(keys); i++)
            assert_non_null(json_object_get(case_of(root, 0, row), keys[i]));
    json_decref(root);
}

static void a_failed_case_can_be_replayed(void **state)
{
    (void)state;
    fixture_judge(0, 2, VERDICT_FAIL, "nothing");
    json_t *root = report();
    const char *replay = string_of(case_of(root, 0, 2), "replay");
    assert_non_null(strstr(replay, "make "));
    assert_non_null(strstr(replay, "STEP=alpha"));
    assert_non_null(strstr(replay, "CASE=echoes"));
    json_decref(root);
}

static void a_sweep_tells_how_many_it_survived(void **state)
{
    (void)state;
    fixture_judge(0, 3, VERDICT_FAIL, "3 of 121 failures are not survived");
    fixture_steps[0].verdict[3].injected = 121;
    fixture_steps[0].verdict[3].survived = 118;
    json_t *root = report(), *row = case_of(root, 0, 3);
    assert_int_equal(halves_of(row, "injected"), 2 * 121);
    assert_int_equal(halves_of(row, "survived"), 2 * 118);
    assert_null(json_object_get(case_of(root, 0, 2), "injected"));
    json_decref(root);
}

static void where_is_null_where_it_is_not_known(void **state)
{
    json_t *root = report();

    (void)state;
    assert_true(json_is_null(json_object_get(case_of(root, 0, 1), "where")));
    json_decref(root);
}

static void where_is_file_line_and_function(void **state)
{
    struct verdict *verdict = &fixture_steps[0].verdict[1];

    (void)state;
    strcpy(verdict->file, "alpha.c");
    strcpy(verdict->function, "serve");
    verdict->line = 48;
    json_t *root = report();
    json_t *where = json_object_get(case_of(root, 0, 1), "where");
    assert_string_equal(string_of(where, "file"), "alpha.c");
    assert_string_equal(string_of(where, "function"), "serve");
    assert_int_equal(json_integer_value(json_object_get(where, "line")), 48);
    json_decref(root);
}

static void whole_points_are_integers(void **state)
{
    json_t *root = report();

    (void)state;
    assert_true(json_is_integer(json_object_get(root, "score")));
    assert_true(
        json_is_integer(json_object_get(case_of(root, 0, 1), "max_score")));
    assert_true(
        json_is_real(json_object_get(case_of(root, 0, 2), "max_score")));
    json_decref(root);
}

static void steps_that_were_not_chosen_are_left_out(void **state)
{
    (void)state;
    fixture_steps[0].chosen = false;
    json_t *root = report();
    assert_int_equal(json_array_size(json_object_get(root, "steps")), 1);
    assert_string_equal(string_of(step_of(root, 0), "name"), "beta");
    json_decref(root);
}

static void cases_that_were_not_asked_for_are_left_out(void **state)
{
    (void)state;
    fixture_judge(0, 1, VERDICT_NONE, "");
    json_t *root = report(), *step = step_of(root, 0);
    assert_int_equal(json_array_size(json_object_get(step, "cases")), 3);
    assert_int_equal(halves_of(step, "max_score"), 16);
    json_decref(root);
}

static void an_error_shows_as_not_graded(void **state)
{
    (void)state;
    fixture_judge(0, 1, VERDICT_ERROR, "not graded");
    json_t *root = report();
    assert_true(json_is_false(json_object_get(root, "graded")));
    assert_string_equal(string_of(case_of(root, 0, 1), "status"), "error");
    json_decref(root);
}

static void bytes_that_are_no_utf_8_are_neutralised(void **state)
{
    (void)state;
    fixture_judge(0, 1, VERDICT_FAIL, "it said \xff\xfe\x80");
    strcpy(fixture_steps[0].verdict[1].file, "\xc3.c");
    strcpy(fixture_steps[0].verdict[1].function, "f\xe9");
    json_t *root = report();
    assert_int_equal(
        json_array_size(json_object_get(step_of(root, 0), "cases")), 4);
    assert_non_null(strstr(string_of(case_of(root, 0, 1), "message"),
                           "it said \\xff\\xfe\\x80"));
    json_decref(root);
}

static void a_character_cut_in_two_is_neutralised(void **state)
{
    struct verdict *verdict = &fixture_steps[0].verdict[1];

    (void)state;
    verdict->status = VERDICT_FAIL;
    memset(verdict->came, 'x', sizeof(verdict->came) - 2);
    verdict->came[sizeof(verdict->came) - 2] = '\xc3';
    verdict->came[sizeof(verdict->came) - 1] = '\0';
    json_t *root = report();
    assert_non_null(strstr(string_of(case_of(root, 0, 1), "message"), "xxx"));
    json_decref(root);
}

static void utf_8_and_control_characters_are_kept(void **state)
{
    (void)state;
    fixture_judge(0, 1, VERDICT_FAIL, "gr\xc3\xbc\xc3\x9f \033[31m \"\\\n");
    json_t *root = report();
    assert_non_null(strstr(string_of(case_of(root, 0, 1), "message"),
                           "gr\xc3\xbc\xc3\x9f \033[31m \"\\\n"));
    json_decref(root);
}

static void the_longest_texts_fit(void **state)
{
    struct verdict *verdict = &fixture_steps[0].verdict[1];

    (void)state;
    verdict->status = VERDICT_FAIL;
    memset(verdict->expected, '\xff', sizeof(verdict->expected) - 1);
    memset(verdict->came, '\xff', sizeof(verdict->came) - 1);
    json_t *root = report();
    assert_true(strlen(string_of(case_of(root, 0, 1), "message")) > 4000);
    json_decref(root);
}

static void a_folder_that_is_not_there_is_told(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "%s/none/report.json", folder);
    errno = 0;
    assert_int_equal(write_report(), -1);
    assert_int_equal(errno, ENOENT);
}

static bool is_there(const char *name)
{
    char full[PATH_MAX + 64];

    snprintf(full, sizeof(full), "%s/%s", folder, name);
    return access(full, F_OK) == 0;
}

static void a_report_that_cannot_be_put_in_place_leaves_no_half(void **state)
{
    (void)state;
    assert_int_equal(mkdir(path, 0700), 0);
    errno = 0;
    assert_int_equal(write_report(), -1);
    assert_int_not_equal(errno, 0);
    assert_false(is_there("report.json.new"));
}

/* A disk that is full, by a limit on the size of files. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;

    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
}

static void a_full_disk_leaves_the_old_report_whole(void **state)
{
    json_t *before = report(), *after;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    limit_files(100);
    int result = write_report();
    limit_files(RLIM_INFINITY);
    assert_int_equal(result, -1);
    assert_false(is_there("report.json.new"));
    after = json_load_file(path, 0, NULL);
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);
}

static int set_up(void **state)
{
    fixture_set_up(state);
    return make_folder(state);
}

#define JSON_TEST(name)                                                        \
    cmocka_unit_test_setup_teardown(name, set_up, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        JSON_TEST(the_head_tells_kit_score_and_isolation),
        JSON_TEST(a_step_tells_name_score_and_time),
        JSON_TEST(a_failed_case_tells_all_about_it),
        JSON_TEST(every_case_has_every_key),
        JSON_TEST(a_failed_case_can_be_replayed),
        JSON_TEST(a_sweep_tells_how_many_it_survived),
        JSON_TEST(where_is_null_where_it_is_not_known),
        JSON_TEST(where_is_file_line_and_function),
        JSON_TEST(whole_points_are_integers),
        JSON_TEST(steps_that_were_not_chosen_are_left_out),
        JSON_TEST(cases_that_were_not_asked_for_are_left_out),
        JSON_TEST(an_error_shows_as_not_graded),
        JSON_TEST(bytes_that_are_no_utf_8_are_neutralised),
        JSON_TEST(a_character_cut_in_two_is_neutralised),
        JSON_TEST(utf_8_and_control_characters_are_kept),
        JSON_TEST(the_longest_texts_fit),
        JSON_TEST(a_folder_that_is_not_there_is_told),
        JSON_TEST(a_report_that_cannot_be_put_in_place_leaves_no_half),
        JSON_TEST(a_full_disk_leaves_the_old_report_whole),
    };

    unit_begin();
    return cmocka_run_group_tests_name("json", tests, NULL, NULL) != 0;
}
