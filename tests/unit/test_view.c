/* test_view.c - what the formats see of a report. */
#include "result_fixture.h"

#include "../../harness/report/report.h"
#include "../../harness/report/view.h"

static struct view view;
static struct step_case rows[UNIT_COUNT(fixture_cases)];
static struct step step;

/* The first step's rows may be changed. */
static int set_up(void **state)
{
    fixture_set_up(state);
    memcpy(rows, fixture_cases, sizeof(rows));
    step = fixture_step[0];
    step.cases = rows;
    fixture_steps[0].step = &step;
    unsetenv("GITHUB_WORKSPACE");
    unsetenv("CI_PROJECT_DIR");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    view_release(&view);
    return 0;
}

static void take(bool complete)
{
    json_t *report = report_document(&fixture);

    assert_int_equal(view_take(&view, report, complete), 0);
    json_decref(report);
}

#define assert_harmless(text, expected)                                        \
    do {                                                                       \
        char *clean_ = view_harmless(text);                                    \
        assert_string_equal(clean_, expected);                                 \
        free(clean_);                                                          \
    } while (0)

static void controls_are_spelled_out(void **state)
{
    (void)state;
    assert_harmless("a\033[31mb", "a\\x1b[31mb");
    assert_harmless("a\rb\x08\x7f", "a\\x0db\\x08\\x7f");
    assert_harmless("\xc2\x9b"
                    "31m",
                    "\\x9b31m");
}

static void what_turns_or_breaks_a_line_is_spelled_out(void **state)
{
    (void)state;
    assert_harmless("\xe2\x80\xae", "\\u202e");
    assert_harmless("\xe2\x80\xa8\xe2\x81\xa9", "\\u2028\\u2069");
    assert_harmless("\xef\xbb\xbf\xef\xbf\xbe\xef\xbf\xbf",
                    "\\ufeff\\ufffe\\uffff");
}

static void other_text_stays_as_it_is(void **state)
{
    (void)state;
    assert_harmless("", "");
    assert_harmless("gr\xc3\xbc\xc3\x9f, \xf0\x9f\x99\x82\n\t%<&>\"'`",
                    "gr\xc3\xbc\xc3\x9f, \xf0\x9f\x99\x82\n\t%<&>\"'`");
}

static void every_case_is_seen_in_its_step(void **state)
{
    (void)state;
    take(false);
    assert_int_equal(view.steps, 2);
    assert_int_equal(view.cases, 8);
    assert_ptr_equal(view.step[1].first, view.all + 4);
    assert_string_equal(view.all[5].step, "beta");
    assert_string_equal(view.all[5].name, "listens");
    assert_int_equal(view.all[5].status, VERDICT_PASS);
    assert_string_equal(view.all[5].detail, "");
}

static void a_failure_is_told_in_lines(void **state)
{
    struct verdict *verdict = &fixture_steps[0].verdict[1];

    (void)state;
    fixture_judge(0, 1, VERDICT_FAIL, "no\n");
    strcpy(verdict->file, "alpha.c");
    strcpy(verdict->function, "serve");
    verdict->line = 48;
    take(false);
    assert_string_equal(view.all[1].detail,
                        "no\nat alpha.c:48 in serve()\n"
                        "why: It must listen.\nhint: See listen(2).\n"
                        "again: make replay STEP=alpha CASE=listens");
    assert_string_equal(view.all[1].path, "exercises/alpha.c");
}

static void a_sweep_tells_what_was_survived(void **state)
{
    (void)state;
    fixture_judge(0, 3, VERDICT_FAIL, "harm");
    fixture_steps[0].verdict[3].injected = 12;
    fixture_steps[0].verdict[3].survived = 8;
    take(false);
    assert_non_null(
        strstr(view.all[3].detail, "survived: 8 of 12 injected failures"));
    assert_true(view.all[3].score > 0);
    assert_true(view.all[3].score < view.all[3].max_score);
}

/* Hidden by the instructor: "listens" and "reaps" of the first step. */
static void hide_two(enum verdict_status listens, enum verdict_status reaps)
{
    rows[1].visibility = HIDDEN;
    rows[3].visibility = AFTER_PUBLISHED;
    fixture_judge(0, 1, listens, "secret");
    fixture_judge(0, 3, reaps, "secret");
}

static void hidden_cases_are_one_with_the_points_of_all(void **state)
{
    (void)state;
    hide_two(VERDICT_PASS, VERDICT_FAIL);
    take(false);
    assert_int_equal(view.step[0].count, 3);
    assert_int_equal(view.cases, 7);
    const struct view_case *hidden = &view.step[0].first[2];
    assert_string_equal(hidden->name, "hidden_cases");
    assert_int_equal(hidden->status, VERDICT_FAIL);
    assert_true(hidden->score == 2 && hidden->max_score == 6.5);
    assert_null(strstr(hidden->detail, "secret"));
    assert_string_equal(view.step[1].first[0].name, "compiles");
    assert_true(view.score == 20 - 4.5);
}

static void hidden_cases_that_pass_are_one_that_passes(void **state)
{
    (void)state;
    hide_two(VERDICT_PASS, VERDICT_PASS);
    take(false);
    assert_int_equal(view.step[0].first[2].status, VERDICT_PASS);
    assert_string_equal(view.step[0].first[2].detail, "");
}

static void the_complete_view_has_them_and_says_when_to_show_them(void **state)
{
    (void)state;
    hide_two(VERDICT_PASS, VERDICT_FAIL);
    take(true);
    assert_int_equal(view.cases, 8);
    assert_string_equal(view.all[0].visibility, "visible");
    assert_string_equal(view.all[1].visibility, "hidden");
    assert_string_equal(view.all[3].visibility, "after_published");
    assert_string_equal(view.all[3].message, "secret");
}

static void a_step_that_was_not_started_is_no_green_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++)
        fixture_judge(0, i, VERDICT_SKIP, "skipped");
    strcpy(fixture_steps[0].note, "not started");
    take(false);
    assert_int_equal(view.step[0].count, 5);
    assert_string_equal(view.all[4].name, "is_started");
    assert_int_equal(view.all[4].status, VERDICT_FAIL);
    assert_string_equal(view.all[4].message, "not started");
    assert_true(view.all[4].cost == 10 && view.all[4].max_score == 0);
    assert_int_equal(view_count(&view, NULL, VERDICT_FAIL), 1);
}

static void a_step_whose_worker_died_is_an_error(void **state)
{
    (void)state;
    fixture_steps[0].done = false;
    strcpy(fixture_steps[0].note, "not graded: the kit failed");
    take(false);
    assert_int_equal(view.step[0].count, 5);
    assert_int_equal(view.step[0].first[4].status, VERDICT_ERROR);
    assert_false(view.graded);
}

static void a_program_that_does_not_compile_costs_the_step(void **state)
{
    (void)state;
    fixture_judge(0, 0, VERDICT_FAIL, "alpha.c:3:1: error");
    for (size_t i = 1; i < 4; i++)
        fixture_judge(0, i, VERDICT_SKIP, "skipped");
    strcpy(fixture_steps[0].note, "does not compile");
    take(false);
    assert_int_equal(view.step[0].count, 4);
    assert_true(view.all[0].cost == 10);
}

static const char *path_from(const char *submission, const char *file)
{
    struct verdict *verdict = &fixture_steps[0].verdict[1];

    view_release(&view);
    fixture.submission = submission;
    verdict->status = VERDICT_FAIL;
    strcpy(verdict->file, file);
    take(false);
    return view.all[1].path;
}

static void a_path_is_seen_from_the_root_of_the_repository(void **state)
{
    (void)state;
    setenv("GITHUB_WORKSPACE", "/checkout", 1);
    assert_string_equal(path_from(".", "a.c"), "a.c");
    assert_string_equal(path_from("./x/", "a.c"), "x/a.c");
    assert_string_equal(path_from("/checkout", "a.c"), "a.c");
    assert_string_equal(path_from("/checkout/x", "a.c"), "x/a.c");
    assert_string_equal(path_from("/checkouts", "a.c"), "/checkouts/a.c");
}

/* #line lets a program call its file anything. */
static void a_file_elsewhere_is_no_path(void **state)
{
    (void)state;
    assert_string_equal(path_from("x", "../../etc/passwd"), "");
    assert_string_equal(path_from("x", "a\033.c"), "x/a\\x1b.c");
}

static void a_sweep_tells_the_lines_of_its_harm(void **state)
{
    json_t *report = json_pack("{s:[{s:[{s:s, s:i, s:i, s:[s, n, s]}]}]}",
                               "steps", "cases", "status", "fail", "injected",
                               9, "survived", 8, "harm", "a.c:3 \033", "b.c:4");

    (void)state;
    assert_int_equal(view_take(&view, report, false), 0);
    assert_string_equal(view.all[0].detail,
                        "survived: 8 of 9 injected failures\n"
                        "harmed: a.c:3 \\x1b\nharmed: b.c:4");
    json_decref(report);
}

static void a_document_without_keys_is_an_empty_one(void **state)
{
    json_t *report =
        json_pack("{s:[n, {s:[{s:n, s:{s:f}}]}], s:f}", "steps", "cases",
                  "name", "where", "line", 1e300, "score", -1e300);

    (void)state;
    assert_int_equal(view_take(&view, report, false), 0);
    assert_int_equal(view.cases, 1);
    assert_int_equal(view.all[0].status, VERDICT_ERROR);
    assert_false(view.graded);
    json_decref(report);
}

#define VIEW_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(controls_are_spelled_out),
        cmocka_unit_test(what_turns_or_breaks_a_line_is_spelled_out),
        cmocka_unit_test(other_text_stays_as_it_is),
        VIEW_TEST(every_case_is_seen_in_its_step),
        VIEW_TEST(a_failure_is_told_in_lines),
        VIEW_TEST(a_sweep_tells_what_was_survived),
        VIEW_TEST(hidden_cases_are_one_with_the_points_of_all),
        VIEW_TEST(hidden_cases_that_pass_are_one_that_passes),
        VIEW_TEST(the_complete_view_has_them_and_says_when_to_show_them),
        VIEW_TEST(a_step_that_was_not_started_is_no_green_one),
        VIEW_TEST(a_step_whose_worker_died_is_an_error),
        VIEW_TEST(a_program_that_does_not_compile_costs_the_step),
        VIEW_TEST(a_path_is_seen_from_the_root_of_the_repository),
        VIEW_TEST(a_file_elsewhere_is_no_path),
        VIEW_TEST(a_sweep_tells_the_lines_of_its_harm),
        VIEW_TEST(a_document_without_keys_is_an_empty_one),
    };

    unit_begin();
    return cmocka_run_group_tests_name("view", tests, NULL, NULL) != 0;
}
