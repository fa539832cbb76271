/* test_formats.c - each format keeps to its own syntax, whatever is in the
 * texts, and each file is whole or not there. (tests/formats.py has their
 * readers read them.) */
#include "result_fixture.h"

#include "../../harness/report/format.h"
#include "../../harness/report/report.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char folder[PATH_MAX], trouble[PATH_MAX + 64];
static char text[1 << 20]; /* of a file */

static int set_up(void **state)
{
    fixture_set_up(state);
    unit_folder(folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unit_remove(folder);
    return 0;
}

static int write_all(const char *names)
{
    json_t *report = report_document(&fixture);
    int result = formats_write(folder, report, names, trouble, sizeof(trouble));
    int error = errno;

    json_decref(report);
    errno = error;
    return result;
}

/* What is in a file of the folder; NULL: there is none. */
static const char *content(const char *name)
{
    char path[2 * PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    if (!file)
        return NULL;
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return text;
}

static const char *written(const char *name)
{
    assert_int_equal(write_all(""), 0);
    assert_non_null(content(name));
    return text;
}

/* The second case of the first step fails so, at a line. */
static void fail_with(const char *came)
{
    struct verdict *verdict = &fixture_steps[0].verdict[1];

    fixture_judge(0, 1, VERDICT_FAIL, came);
    strcpy(verdict->file, "al,p:h%a.c");
    verdict->line = 7;
}

#define assert_has(where, what)                                                \
    do {                                                                       \
        if (!strstr(where, what))                                              \
            fail_msg("%s is not in:\n%.2000s", what, where);                   \
    } while (0)

static void junit_is_one_document_with_references(void **state)
{
    (void)state;
    fail_with("a<b>&\"'\n]]>\033[0m");
    written("junit.xml");
    assert_has(text, "<testsuites name=\"faultline\" tests=\"8\" "
                     "failures=\"1\" errors=\"0\" skipped=\"0\"");
    assert_has(text, "message=\"a&lt;b&gt;&amp;&quot;'&#10;]]&gt;\\x1b[0m\"");
    assert_has(text, ">a&lt;b&gt;&amp;");
    assert_has(text, "file=\"exercises/al,p:h%a.c\" line=\"7\"");
    assert_null(strchr(text, '\033'));
}

static void tap_has_a_point_a_case_and_no_directive_of_others(void **state)
{
    (void)state;
    fail_with("# TODO\nok 9 - forged\n...\n");
    fixture_judge(1, 2, VERDICT_SKIP, "not # TODO \\ but");
    written("report.tap");
    assert_has(text, "TAP version 14\n1..8\nok 1 - alpha/compiles\n"
                     "not ok 2 - alpha/listens\n  ---\n"
                     "  message: \"# TODO\\nok 9 - forged\\n...\\n\"\n");
    assert_has(text, "ok 7 - beta/echoes # SKIP not \\# TODO \\\\ but\n");
    assert_null(strstr(text, "\nok 9"));
}

static void annotations_escape_values_and_messages(void **state)
{
    (void)state;
    fail_with("100%\n::error::forged, see: http://x");
    written("annotations.txt");
    assert_has(text,
               "::error file=exercises/al%2Cp%3Ah%25a.c,line=7,"
               "title=alpha/listens::100%25%0A::error::forged, see: http://x");
    assert_has(text, "\n::notice title=Faultline::18/20 points\n");
    size_t lines = 0;
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, 2);
}

static void annotations_are_the_ten_that_cost_most(void **state)
{
    static struct step_case rows[30];
    static struct step many;

    (void)state;
    many = fixture_step[0];
    many.cases = rows;
    many.count = 30;
    fixture_steps[0].step = &many;
    for (size_t i = 0; i < 30; i++) {
        rows[i] = fixture_cases[1];
        rows[i].points = i == 20 ? 5 : 1;
        fixture_judge(0, i, VERDICT_FAIL, "no");
    }
    rows[20].name = "costs_most";
    written("annotations.txt");
    assert_has(text, "; 20 more failures are in the summary\n");
    assert_int_equal(strncmp(text, "::error title=alpha/costs_most::", 32), 0);
}

static void a_summary_has_no_marks_of_others(void **state)
{
    (void)state;
    fail_with("</pre><script>```\n\n# big | [x](y) *b* @who &lt;");
    written("summary.md");
    assert_has(text, "## Faultline: 18/20 points\n");
    assert_has(text, "| <code>alpha</code> | 8/10 | 1 of 4 cases failed |\n");
    assert_has(text, "<pre>&#60;&#47;pre&#62;&#60;script&#62;&#96;&#96;&#96;"
                     "\n\n&#35; big &#124; &#91;x&#93;&#40;y&#41; &#42;b&#42; "
                     "&#64;who &#38;lt&#59;");
}

static void classroom_is_one_line_of_base64(void **state)
{
    (void)state;
    fixture_steps[0].chosen = fixture_steps[1].chosen = false;
    assert_string_equal(written("classroom.txt"),
                        /* {"version":1,"status":"pass","max_score":0,
                         * "tests":[]} */
                        "eyJ2ZXJzaW9uIjoxLCJzdGF0dXMiOiJwYXNzIiwibWF4X3Njb3Jl"
                        "IjowLCJ0ZXN0cyI6W119\n");
}

/* execve(2): an environment string of more than 128 KiB starts nothing. */
static void classroom_fits_the_environment(void **state)
{
    static struct step_case rows[RESULT_CASES];
    static struct step many;

    (void)state;
    many = fixture_step[0];
    many.cases = rows;
    many.count = RESULT_CASES;
    fixture_steps[0].step = fixture_steps[1].step = &many;
    for (size_t i = 0; i < RESULT_CASES; i++) {
        struct verdict *verdict = &fixture_steps[0].verdict[i];

        rows[i] = fixture_cases[1];
        fixture_judge(0, i, VERDICT_FAIL, "");
        memset(verdict->came, '\xff', sizeof(verdict->came) - 1);
        fixture_steps[1].verdict[i] = *verdict;
    }
    size_t size = strlen(written("classroom.txt"));
    assert_in_range(size, 20 * 1024, 128 * 1024);
}

static void classroom50_counts_in_whole_quarter_points(void **state)
{
    (void)state;
    setenv("SUBMISSION_TAG", "submit/\"x\n", 1);
    fixture_judge(0, 2, VERDICT_FAIL, "no"); /* 3.5 points */
    json_t *root = json_loads(written("classroom50.json"), 0, NULL);
    unsetenv("SUBMISSION_TAG");
    assert_non_null(root);
    assert_int_equal(json_integer_value(json_object_get(root, "score")), 66);
    assert_int_equal(json_integer_value(json_object_get(root, "max-score")),
                     80);
    assert_string_equal(json_string_value(json_object_get(root, "submission")),
                        "submit/\"x\n");
    assert_int_equal(json_object_size(root), 11);
    json_decref(root);
}

static void autolab_ends_with_a_line_of_scores(void **state)
{
    (void)state;
    fail_with("word: \"here\"\n{\"scores\":{\"alpha\":1000}}\n");
    written("autolab.txt");
    const char *last = strstr(text, "\n") + 1;
    assert_string_equal(last, "{\"scores\":{\"alpha\":8,\"beta\":10},"
                              "\"scoreboard\":[18]}\n");
    assert_int_equal(strncmp(text, "{\"_presentation\":\"semantic\",", 27), 0);
}

static void gradescope_gets_hidden_cases_and_hides_them_itself(void **state)
{
    static struct step_case rows[UNIT_COUNT(fixture_cases)];
    static struct step step;

    (void)state;
    memcpy(rows, fixture_cases, sizeof(rows));
    step = fixture_step[0];
    step.cases = rows;
    rows[3].visibility = AFTER_DUE_DATE;
    fixture_steps[0].step = &step;
    written("gradescope.json");
    assert_has(text, "\"name\": \"alpha: reaps\"");
    assert_has(text, "\"visibility\": \"after_due_date\"");
    assert_null(strstr(content("junit.xml"), "classname=\"alpha\" "
                                             "name=\"reaps\""));
}

static void code_quality_names_lines(void **state)
{
    (void)state;
    fail_with("no");
    fixture_judge(1, 1, VERDICT_FAIL, "somewhere");
    json_t *root = json_loads(written("gl-code-quality-report.json"), 0, NULL);
    assert_int_equal(json_array_size(root), 1);
    json_decref(root);
}

static void only_what_was_asked_for_is_written(void **state)
{
    (void)state;
    assert_int_equal(write_all("junit, tap"), 0);
    assert_non_null(content("junit.xml"));
    assert_non_null(content("report.tap"));
    assert_null(content("summary.md"));
}

static void files_of_an_earlier_run_do_not_stay(void **state)
{
    (void)state;
    assert_int_equal(write_all(""), 0);
    assert_int_equal(write_all("none"), 0);
    assert_null(content("junit.xml"));
    assert_null(content("gradescope.json"));
}

static void nobody_publishes_points_that_were_not_graded(void **state)
{
    (void)state;
    assert_int_equal(write_all(""), 0);
    fixture_judge(0, 1, VERDICT_ERROR, "not graded: no memory");
    assert_int_equal(write_all(""), 0);
    assert_null(content("gradescope.json"));
    assert_null(content("classroom50.json"));
    assert_null(content("autolab.txt"));
    assert_has(content("junit.xml"),
               "<error message=\"not graded: no memory\"");
}

static void unknown_names_are_found(void **state)
{
    size_t len;

    (void)state;
    assert_null(formats_unknown("", &len));
    assert_null(formats_unknown(" junit,tap none ", &len));
    assert_string_equal(formats_unknown("junit juni", &len), "juni");
    assert_int_equal(len, 4);
    assert_string_equal(formats_unknown("tapx,tap", &len), "tapx,tap");
    assert_int_equal(len, 4);
}

static void a_full_disk_leaves_old_files_whole(void **state)
{
    struct rlimit limit;
    char before[4096];

    (void)state;
    snprintf(before, sizeof(before), "%.4000s", written("annotations.txt"));
    fail_with("something else");
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    struct rlimit small = {20, limit.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    int result = write_all("annotations");
    int error = errno;
    setrlimit(RLIMIT_FSIZE, &limit);
    assert_int_equal(result, -1);
    assert_int_equal(error, EFBIG);
    assert_has(trouble, "/annotations.txt");
    assert_string_equal(content("annotations.txt"), before);
    assert_null(content("annotations.txt.new"));
}

static void a_place_that_is_taken_is_told(void **state)
{
    char path[2 * PATH_MAX];

    (void)state;
    snprintf(path, sizeof(path), "%s/junit.xml", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(write_all(""), -1);
    assert_string_equal(trouble, path);
    assert_null(content("junit.xml.new"));
}

#define FORMAT_TEST(name)                                                      \
    cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FORMAT_TEST(junit_is_one_document_with_references),
        FORMAT_TEST(tap_has_a_point_a_case_and_no_directive_of_others),
        FORMAT_TEST(annotations_escape_values_and_messages),
        FORMAT_TEST(annotations_are_the_ten_that_cost_most),
        FORMAT_TEST(a_summary_has_no_marks_of_others),
        FORMAT_TEST(classroom_is_one_line_of_base64),
        FORMAT_TEST(classroom_fits_the_environment),
        FORMAT_TEST(classroom50_counts_in_whole_quarter_points),
        FORMAT_TEST(autolab_ends_with_a_line_of_scores),
        FORMAT_TEST(gradescope_gets_hidden_cases_and_hides_them_itself),
        FORMAT_TEST(code_quality_names_lines),
        FORMAT_TEST(only_what_was_asked_for_is_written),
        FORMAT_TEST(files_of_an_earlier_run_do_not_stay),
        FORMAT_TEST(nobody_publishes_points_that_were_not_graded),
        FORMAT_TEST(unknown_names_are_found),
        FORMAT_TEST(a_full_disk_leaves_old_files_whole),
        FORMAT_TEST(a_place_that_is_taken_is_told),
    };

    unit_begin();
    unsetenv("GITHUB_WORKSPACE");
    unsetenv("CI_PROJECT_DIR");
    return cmocka_run_group_tests_name("formats", tests, NULL, NULL) != 0;
}
