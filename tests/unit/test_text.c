/* test_text.c - the report on the terminal. */
#include "result_fixture.h"

#include "../../harness/report/report.h"

#include <ctype.h>

static char *told;
static size_t told_len;

static const struct report_style plain = {false, false};
static const struct report_style verbose = {false, true};

static const char *step_line(size_t step)
{
    FILE *out = open_memstream(&told, &told_len);

    report_text_step(out, &fixture_steps[step], &plain);
    fclose(out);
    return told;
}

static const char *the_end(const struct report_style *style)
{
    FILE *out = open_memstream(&told, &told_len);

    report_text_end(out, &fixture, style);
    fclose(out);
    return told;
}

static int tear_down(void **state)
{
    (void)state;
    free(told);
    told = NULL;
    return 0;
}

static void assert_tells(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' is not told in:\n%s", part, text);
}

static void assert_80_columns(const char *text)
{
    while (*text) {
        size_t line = strcspn(text, "\n");

        if (line > 80)
            fail_msg("%zu columns: %.*s", line, (int)line, text);
        text += line + (text[line] != '\0');
    }
}

static void assert_harmless(const char *text)
{
    for (; *text; text++)
        assert_true(isprint((unsigned char)*text) || *text == '\n');
}

static void a_passed_step_is_a_line(void **state)
{
    (void)state;
    const char *line = step_line(0);
    assert_tells(line, "alpha");
    assert_tells(line, "10/10");
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void a_step_line_tells_how_many_failed(void **state)
{
    (void)state;
    fixture_judge(0, 3, VERDICT_FAIL, "a zombie");
    assert_tells(step_line(0), "1 of 4");
    assert_tells(told, "5.5/10");
    assert_null(strstr(told, "skipped"));
    free(told);
    fixture_judge(0, 2, VERDICT_SKIP, "skipped: it left");
    assert_tells(step_line(0), "1 of 4 cases failed, 1 skipped");
}

static void a_step_line_tells_what_was_not_graded(void **state)
{
    (void)state;
    fixture_judge(0, 3, VERDICT_ERROR, "");
    assert_tells(step_line(0), "1 not graded");
}

static void a_failure_is_told_with_why_and_hint(void **state)
{
    (void)state;
    fixture_judge(0, 2, VERDICT_FAIL, "nothing at all");
    strcpy(fixture_steps[0].verdict[2].expected, "an echo");
    strcpy(fixture_steps[0].verdict[2].story, "client 1 sends 5 bytes\n");
    strcpy(fixture_steps[0].verdict[2].printed, "write: Broken pipe\n");
    const char *text = the_end(&plain);
    assert_tells(text, "FAILED alpha: echoes");
    assert_tells(text, "an echo");
    assert_tells(text, "nothing at all");
    assert_tells(text, "client 1 sends 5 bytes");
    assert_tells(text, "write: Broken pipe");
    assert_tells(text, "It must echo.");
    assert_tells(text, "See write(2).");
}

static void what_failed_may_have_a_why_and_a_hint_of_its_own(void **state)
{
    struct verdict *verdict = &fixture_steps[0].verdict[2];

    (void)state;
    fixture_judge(0, 2, VERDICT_FAIL, "two of them");
    verdict->why = "One is enough.";
    const char *text = the_end(&plain);
    assert_tells(text, "One is enough.");
    assert_null(strstr(text, "It must echo."));
    assert_tells(text, "See write(2).");
    free(told);
    verdict->hint = "Who counts?";
    assert_tells(the_end(&plain), "Who counts?");
}

static void a_failure_is_told_with_its_line(void **state)
{
    (void)state;
    fixture_judge(0, 2, VERDICT_FAIL, "nothing");
    strcpy(fixture_steps[0].verdict[2].file, "alpha.c");
    fixture_steps[0].verdict[2].line = 48;
    assert_tells(the_end(&plain), "alpha.c:48");
}

static void one_step_at_a_time_is_told(void **state)
{
    (void)state;
    fixture_judge(0, 2, VERDICT_FAIL, "nothing");
    fixture_judge(1, 3, VERDICT_FAIL, "a zombie");
    the_end(&plain);
    assert_tells(told, "FAILED alpha");
    assert_null(strstr(told, "FAILED beta"));
}

static void verbose_tells_every_step(void **state)
{
    (void)state;
    fixture_judge(0, 2, VERDICT_FAIL, "nothing");
    fixture_judge(1, 3, VERDICT_FAIL, "a zombie");
    the_end(&verbose);
    assert_tells(told, "FAILED alpha");
    assert_tells(told, "FAILED beta");
}

static void the_end_tells_points_and_isolation(void **state)
{
    (void)state;
    the_end(&plain);
    assert_tells(told, "20/20 points");
    assert_tells(told, "plain");
    assert_tells(told, "Full marks");
}

static void the_end_tells_what_is_next(void **state)
{
    (void)state;
    fixture_judge(1, 3, VERDICT_FAIL, "a zombie");
    the_end(&plain);
    assert_tells(told, "make grade STEP=beta");
    assert_null(strstr(told, "Full marks"));
}

static void an_error_is_no_full_mark(void **state)
{
    (void)state;
    fixture_judge(1, 0, VERDICT_ERROR, "no compiler");
    the_end(&plain);
    assert_tells(told, "NOT GRADED beta: compiles");
    assert_tells(told, "could not be graded");
    assert_null(strstr(told, "Full marks"));
}

static void no_colour_means_no_escapes(void **state)
{
    (void)state;
    fixture_judge(0, 2, VERDICT_FAIL, "nothing");
    assert_harmless(the_end(&plain));
}

static void colour_is_switched_off_again(void **state)
{
    const struct report_style colour = {true, false};

    (void)state;
    fixture_judge(0, 2, VERDICT_FAIL, "nothing");
    the_end(&colour);
    char *last = told, *next;
    while ((next = strchr(last + 1, '\033')))
        last = next;
    assert_memory_equal(last, "\033[0m", 4);
}

#define ESCAPES                                                                \
    "\033[2J\033]0;owned\a\b\r\x9b"                                            \
    "31m\x7f\xff"

static void a_programs_escapes_do_not_reach_the_terminal(void **state)
{
    struct verdict *verdict = &fixture_steps[0].verdict[2];

    (void)state;
    fixture_judge(0, 2, VERDICT_FAIL, ESCAPES);
    strcpy(verdict->expected, ESCAPES);
    strcpy(verdict->story, ESCAPES);
    strcpy(verdict->printed, ESCAPES);
    assert_harmless(the_end(&plain));
}

/* #line can name a file anything. */
/* The first step's, so that its cases can be hidden. */
static void hide(size_t index, enum verdict_status status)
{
    static struct step_case rows[UNIT_COUNT(fixture_cases)];
    static struct step step;

    memcpy(rows, fixture_cases, sizeof(rows));
    step = fixture_step[0];
    step.cases = rows;
    rows[index].visibility = HIDDEN;
    fixture_steps[0].step = &step;
    fixture_judge(0, index, status, "secret");
}

static void hidden_cases_are_not_told(void **state)
{
    (void)state;
    hide(3, VERDICT_FAIL);
    assert_tells(step_line(0), " 5.5/10  hidden cases failed");
    free(told);
    the_end(&verbose);
    assert_null(strstr(told, "secret"));
    assert_null(strstr(told, "reaps"));
    assert_tells(told, "15.5/20 points");
}

static void what_was_only_skipped_is_told(void **state)
{
    (void)state;
    fixture_judge(0, 3, VERDICT_SKIP, "skipped: it left");
    assert_tells(step_line(0), "1 of 4 cases skipped");
    free(told);
    the_end(&plain);
    assert_tells(told, "SKIPPED alpha: reaps");
    assert_tells(told, "it left");
}

static void without_debug_information_the_function_is_told(void **state)
{
    struct verdict *verdict = &fixture_steps[0].verdict[2];

    (void)state;
    fixture_judge(0, 2, VERDICT_FAIL, "wrong");
    verdict->file[0] = '\0';
    verdict->line = 0;
    strcpy(verdict->function, "serve");
    the_end(&plain);
    assert_tells(told, "serve() (no line is known");
    assert_null(strstr(told, "?"));
}

static void a_hidden_case_that_cannot_be_graded_is_counted(void **state)
{
    (void)state;
    hide(3, VERDICT_ERROR);
    assert_tells(step_line(0), "1 not graded");
    free(told);
    the_end(&verbose);
    assert_null(strstr(told, "secret"));
    assert_tells(told, "Some cases could not be graded here");
}

/* GitHub's runner obeys a line that begins with "::", behind blanks, too. */
static void assert_no_command(const char *text)
{
    const char *at = text;

    do {
        if (strncmp(at + strspn(at, " \n"), "::", 2) == 0)
            fail_msg("a line begins a command:\n%s", text);
    } while ((at = strchr(at + 1, '\n')));
    assert_null(strstr(text, "##["));
}

static void a_program_gives_no_workflow_commands(void **state)
{
    struct verdict *verdict = &fixture_steps[0].verdict[1];

    (void)state;
    fixture_judge(0, 1, VERDICT_FAIL, "::a\n  ::b\n\t::c x##[d]");
    memset(verdict->expected, 'x', 68);
    strcpy(verdict->expected + 68, "::e and a long row ending at::f");
    strcpy(verdict->printed, "\n::g\n ::g");
    strcpy(verdict->file, "::h.c");
    fixture.told_as = "x\n::i##[j]";
    assert_no_command(the_end(&verbose));
    assert_non_null(strstr(told, "at::f"));
}

static void a_file_names_escapes_do_not_reach_the_terminal(void **state)
{
    (void)state;
    fixture_judge(0, 0, VERDICT_FAIL, "does not compile");
    strcpy(fixture_steps[0].verdict[0].file, ESCAPES ".c");
    strcpy(fixture_steps[0].verdict[0].function, ESCAPES);
    assert_harmless(the_end(&plain));
}

static void fill_with_words(char *text, size_t size)
{
    text[0] = '\0';
    while (strlen(text) + 12 < size)
        strcat(text, strlen(text) % 3 ? "of words " : "a row ");
}

static void failures_fit_80_columns(void **state)
{
    struct verdict *verdict = &fixture_steps[0].verdict[2];

    (void)state;
    verdict->status = VERDICT_FAIL;
    fill_with_words(verdict->expected, sizeof(verdict->expected));
    fill_with_words(verdict->came, sizeof(verdict->came));
    fill_with_words(verdict->story, sizeof(verdict->story));
    fill_with_words(verdict->printed, sizeof(verdict->printed));
    assert_80_columns(the_end(&plain));
}

static void words_of_any_length_fit_80_columns(void **state)
{
    struct verdict *verdict = &fixture_steps[0].verdict[2];

    (void)state;
    verdict->status = VERDICT_FAIL;
    memset(verdict->printed, 'x', sizeof(verdict->printed) - 1);
    assert_80_columns(the_end(&plain));
}

static void step_lines_fit_80_columns(void **state)
{
    (void)state;
    strcpy(fixture_steps[0].note,
           "the program goes around libc: it did not load the kit's library "
           "(Exec format error)");
    assert_80_columns(step_line(0));
}

static void every_line_of_a_text_is_told(void **state)
{
    (void)state;
    fixture_judge(0, 2, VERDICT_FAIL, "first\nsecond\n\nthird");
    the_end(&plain);
    assert_tells(told, "first\n");
    assert_tells(told, "second\n");
    assert_tells(told, "third\n");
}

static void the_list_names_steps_and_cases(void **state)
{
    FILE *out = open_memstream(&told, &told_len);

    (void)state;
    hide(3, VERDICT_NONE);
    report_list(out, &fixture);
    fclose(out);
    assert_tells(told, "alpha (10 points): the first\n"
                       "     0  build        compiles\n");
    assert_tells(told, "   4.5  zombie       reaps (hidden)\nbeta");
    assert_tells(told, "   4.5  zombie       reaps\n");
}

#define TEXT_TEST(name)                                                        \
    cmocka_unit_test_setup_teardown(name, fixture_set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEXT_TEST(a_passed_step_is_a_line),
        TEXT_TEST(a_step_line_tells_how_many_failed),
        TEXT_TEST(a_step_line_tells_what_was_not_graded),
        TEXT_TEST(a_failure_is_told_with_why_and_hint),
        TEXT_TEST(what_failed_may_have_a_why_and_a_hint_of_its_own),
        TEXT_TEST(a_failure_is_told_with_its_line),
        TEXT_TEST(one_step_at_a_time_is_told),
        TEXT_TEST(verbose_tells_every_step),
        TEXT_TEST(the_end_tells_points_and_isolation),
        TEXT_TEST(the_end_tells_what_is_next),
        TEXT_TEST(an_error_is_no_full_mark),
        TEXT_TEST(no_colour_means_no_escapes),
        TEXT_TEST(colour_is_switched_off_again),
        TEXT_TEST(a_programs_escapes_do_not_reach_the_terminal),
        TEXT_TEST(a_program_gives_no_workflow_commands),
        TEXT_TEST(hidden_cases_are_not_told),
        TEXT_TEST(what_was_only_skipped_is_told),
        TEXT_TEST(without_debug_information_the_function_is_told),
        TEXT_TEST(a_hidden_case_that_cannot_be_graded_is_counted),
        TEXT_TEST(a_file_names_escapes_do_not_reach_the_terminal),
        TEXT_TEST(failures_fit_80_columns),
        TEXT_TEST(words_of_any_length_fit_80_columns),
        TEXT_TEST(step_lines_fit_80_columns),
        TEXT_TEST(every_line_of_a_text_is_told),
        TEXT_TEST(the_list_names_steps_and_cases),
    };

    unit_begin();
    return cmocka_run_group_tests_name("text", tests, NULL, NULL) != 0;
}
