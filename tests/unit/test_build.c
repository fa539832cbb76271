/* test_build.c - submissions are compiled and linked. */
#include "unit.h"

#include <sys/stat.h>

static char folder[PATH_MAX], submission[PATH_MAX + 16], output[PATH_MAX + 16];
static struct program_build made;

static int set_up_in(const char *name)
{
    unit_folder(folder);
    snprintf(submission, sizeof(submission), "%s/%s", folder, name);
    snprintf(output, sizeof(output), "%s/step", folder);
    return mkdir(submission, 0700);
}

static int set_up(void **state)
{
    (void)state;
    return set_up_in("exercises");
}

static int set_up_with_blanks(void **state)
{
    (void)state;
    return set_up_in("my own 'work'");
}

static int tear_down(void **state)
{
    (void)state;
    unit_remove(folder);
    return 0;
}

static bool builds(const char *source)
{
    if (source)
        unit_write(submission, "step.c", source);
    assert_int_equal(program_build(&made, submission, "step", output), 0);
    return made.built;
}

static int status_of_output(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        execl(output, "step", (char *)NULL);
        _exit(127);
    }
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
}

static void a_step_alone_builds_and_runs(void **state)
{
    (void)state;
    assert_true(builds("int main(void) { return 3; }\n"));
    assert_false(made.missing);
    assert_string_equal(made.messages, "");
    assert_int_equal(status_of_output(), 3);
}

static void a_missing_file_is_told(void **state)
{
    (void)state;
    assert_false(builds(NULL));
    assert_true(made.missing);
}

static void a_missing_folder_is_a_missing_file(void **state)
{
    (void)state;
    assert_int_equal(program_build(&made, "/nowhere", "step", output), 0);
    assert_false(made.built);
    assert_true(made.missing);
}

static void an_error_has_file_and_line(void **state)
{
    (void)state;
    assert_false(builds("int main(void)\n{\n    return x;\n}\n"));
    assert_string_equal(made.file, "step.c");
    assert_int_equal(made.line, 3);
    assert_non_null(strstr(made.messages, "error"));
}

static void the_first_error_is_the_one_told(void **state)
{
    (void)state;
    assert_false(builds("int unused(void) { int x; return 0; }\n"
                        "int a = b;\nint c = d;\nint main(void) {}\n"));
    assert_int_equal(made.line, 2);
}

static void an_error_in_a_header_names_the_header(void **state)
{
    (void)state;
    unit_write(submission, "net.h", "\nint int;\n");
    assert_false(builds("#include \"net.h\"\nint main(void) {}\n"));
    assert_non_null(strstr(made.file, "net.h"));
    assert_int_equal(made.line, 2);
}

static void a_warning_costs_nothing_and_is_shown(void **state)
{
    (void)state;
    assert_true(builds("int main(void) { int unused; return 0; }\n"));
    assert_non_null(strstr(made.messages, "warning"));
    assert_int_equal(made.line, 0);
    assert_string_equal(made.file, "");
}

static void ways_around_libc_are_noticed(void **state)
{
    (void)state;
    assert_true(builds("#include <unistd.h>\n"
                       "int main(void) { return (int)write(1, \"\", 0); }\n"));
    assert_string_equal(made.around, "");
    assert_true(builds("#include <unistd.h>\n"
                       "int main(void) { return (int)syscall(0); }\n"));
    assert_string_equal(made.around, "syscall");
    assert_true(builds("int __fork(void);\n#pragma weak __fork\n"
                       "int main(void) { return __fork ? __fork() : 0; }\n"));
    assert_string_equal(made.around, "__fork");
}

static void messages_show_no_lines_of_files(void **state)
{
    (void)state;
    assert_false(builds("int main(void) { return secret_word + ; }\n"));
    assert_null(strstr(made.messages, "return secret_word"));
}

static void a_program_without_main_does_not_build(void **state)
{
    (void)state;
    assert_false(builds("int x;\n"));
    assert_non_null(strstr(made.messages, "main"));
}

static void a_failed_build_leaves_no_old_program(void **state)
{
    (void)state;
    assert_true(builds("int main(void) { return 0; }\n"));
    assert_false(builds("int main(void) { return 0 }\n"));
    assert_int_equal(access(output, F_OK), -1);
}

#define TOOLBOX "int write_all(void) { return 5; }\n"
#define USES    "int write_all(void);\nint main(void) { return write_all(); }\n"

static void the_toolbox_is_linked_where_it_is_needed(void **state)
{
    (void)state;
    unit_write(submission, "net.c", TOOLBOX);
    assert_true(builds(USES));
    assert_int_equal(status_of_output(), 5);
}

static void without_the_toolbox_what_needs_it_does_not_build(void **state)
{
    (void)state;
    assert_false(builds(USES));
    assert_non_null(strstr(made.messages, "write_all"));
}

static void a_function_of_its_own_goes_before_the_toolboxs(void **state)
{
    (void)state;
    unit_write(submission, "net.c", TOOLBOX);
    assert_true(builds("int write_all(void) { return 6; }\n"
                       "int main(void) { return write_all(); }\n"));
    assert_int_equal(status_of_output(), 6);
}

static void a_broken_toolbox_costs_who_needs_it(void **state)
{
    (void)state;
    unit_write(submission, "net.c", "int write_all(void) { return }\n");
    assert_false(builds(USES));
    assert_string_equal(made.file, "net.c");
    assert_int_equal(made.line, 1);
}

static void a_broken_toolbox_costs_nobody_else(void **state)
{
    (void)state;
    unit_write(submission, "net.c", "int write_all(void) { return }\n");
    assert_true(builds("int main(void) { return 0; }\n"));
    assert_int_equal(status_of_output(), 0);
}

static void a_toolbox_that_went_is_not_linked_again(void **state)
{
    char net[2 * PATH_MAX];

    (void)state;
    unit_write(submission, "net.c", TOOLBOX);
    assert_true(builds(USES));
    snprintf(net, sizeof(net), "%s/net.c", submission);
    assert_int_equal(unlink(net), 0);
    assert_false(builds(USES));
}

static void link_to(const char *name, const char *target)
{
    char path[2 * PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", submission, name);
    assert_int_equal(symlink(target, path), 0);
}

static void a_link_is_no_submission(void **state)
{
    (void)state;
    unit_write(folder, "elsewhere.c", "int main(void) { return 0; }\n");
    link_to("step.c", "../elsewhere.c");
    assert_false(builds(NULL));
    assert_true(made.missing);
}

static void a_folder_is_no_submission(void **state)
{
    char path[2 * PATH_MAX];

    (void)state;
    snprintf(path, sizeof(path), "%s/step.c", submission);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_false(builds(NULL));
    assert_true(made.missing);
}

static void a_link_is_no_toolbox(void **state)
{
    (void)state;
    unit_write(folder, "elsewhere.c", TOOLBOX);
    link_to("net.c", "../elsewhere.c");
    assert_false(builds(USES));
}

static void a_folder_with_blanks_builds(void **state)
{
    (void)state;
    unit_write(submission, "net.h", "int write_all(void);\n");
    unit_write(submission, "net.c", TOOLBOX);
    assert_true(builds("#include \"net.h\"\n" USES));
    assert_int_equal(status_of_output(), 5);
}

static void a_folder_with_blanks_has_errors_with_lines(void **state)
{
    (void)state;
    assert_false(builds("\nint main(void) { return x; }\n"));
    assert_string_equal(made.file, "step.c");
    assert_int_equal(made.line, 2);
}

static void it_is_gnu_c17_with_threads(void **state)
{
    (void)state;
    assert_true(
        builds("#include <pthread.h>\n"
               "static void *f(void *arg) { return arg; }\n"
               "int main(void)\n{\n    pthread_t t;\n"
               "    _Static_assert(__STDC_VERSION__ == 201710L, \"\");\n"
               "    return pthread_create(&t, 0, f, 0) ||\n"
               "           pthread_join(t, 0) || ({ 0; });\n}\n"));
    assert_string_equal(made.messages, "");
    assert_int_equal(status_of_output(), 0);
}

/* 500 warnings, an error in line 502. */
static const char *source_with_many_warnings(void)
{
    static char source[32768];
    int len = sprintf(source, "int main(void) {\n");

    for (int i = 0; i < 500; i++)
        len += sprintf(source + len, "undeclared_%d();\n", i);
    strcpy(source + len, "return x; }\n");
    return source;
}

static void more_messages_than_room_are_cut(void **state)
{
    (void)state;
    assert_false(builds(source_with_many_warnings()));
    assert_in_range(strlen(made.messages), PROGRAM_MESSAGES / 2,
                    PROGRAM_MESSAGES - 1);
}

static void an_error_behind_many_warnings_has_its_line(void **state)
{
    (void)state;
    assert_false(builds(source_with_many_warnings()));
    assert_string_equal(made.file, "step.c");
    assert_int_equal(made.line, 502);
}

static void no_compiler_is_the_machines_trouble(void **state)
{
    const char *cc = getenv("CC");
    char *before = cc ? strdup(cc) : NULL;

    (void)state;
    unit_write(submission, "step.c", "int main(void) { return 0; }\n");
    setenv("CC", "/nowhere/cc", 1);
    int result = program_build(&made, submission, "step", output);
    before ? setenv("CC", before, 1) : unsetenv("CC");
    free(before);
    assert_int_equal(result, -1);
    assert_false(made.built);
}

#define BUILD_TEST(name)                                                       \
    cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define BLANK_TEST(name)                                                       \
    cmocka_unit_test_setup_teardown(name, set_up_with_blanks, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BUILD_TEST(a_step_alone_builds_and_runs),
        BUILD_TEST(a_missing_file_is_told),
        BUILD_TEST(a_missing_folder_is_a_missing_file),
        BUILD_TEST(an_error_has_file_and_line),
        BUILD_TEST(the_first_error_is_the_one_told),
        BUILD_TEST(an_error_in_a_header_names_the_header),
        BUILD_TEST(a_warning_costs_nothing_and_is_shown),
        BUILD_TEST(ways_around_libc_are_noticed),
        BUILD_TEST(messages_show_no_lines_of_files),
        BUILD_TEST(a_program_without_main_does_not_build),
        BUILD_TEST(a_failed_build_leaves_no_old_program),
        BUILD_TEST(the_toolbox_is_linked_where_it_is_needed),
        BUILD_TEST(without_the_toolbox_what_needs_it_does_not_build),
        BUILD_TEST(a_function_of_its_own_goes_before_the_toolboxs),
        BUILD_TEST(a_broken_toolbox_costs_who_needs_it),
        BUILD_TEST(a_broken_toolbox_costs_nobody_else),
        BUILD_TEST(a_toolbox_that_went_is_not_linked_again),
        BUILD_TEST(a_link_is_no_submission),
        BUILD_TEST(a_folder_is_no_submission),
        BUILD_TEST(a_link_is_no_toolbox),
        BLANK_TEST(a_folder_with_blanks_builds),
        BLANK_TEST(a_folder_with_blanks_has_errors_with_lines),
        BUILD_TEST(it_is_gnu_c17_with_threads),
        BUILD_TEST(more_messages_than_room_are_cut),
        BUILD_TEST(an_error_behind_many_warnings_has_its_line),
        BUILD_TEST(no_compiler_is_the_machines_trouble),
    };

    unit_begin();
    return cmocka_run_group_tests_name("build", tests, NULL, NULL) != 0;
}
