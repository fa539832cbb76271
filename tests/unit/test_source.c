/* test_source.c - from a return address to the line: with every compiler,
 * optimisation and kind of executable that a student may use, and without
 * debug information.
 */
#include "unit.h"

#include "../../harness/source.h"

#include <sys/stat.h>

/* It prints the address that its call of here() returns to, as its file has
 * it. The call's line, and that of the inlined function's, are the test's. */
static const char program[] =
    "#define _GNU_SOURCE\n"
    "#include <link.h>\n"
    "#include <stdio.h>\n"
    "static int first(struct dl_phdr_info *info, size_t size, void *base)\n"
    "{\n"
    "    (void)size;\n"
    "    *(ElfW(Addr) *)base = info->dlpi_addr;\n"
    "    return 1;\n"
    "}\n"
    "__attribute__((noinline)) int here(void)\n"
    "{\n"
    "    ElfW(Addr) base, at = (ElfW(Addr))__builtin_return_address(0);\n"
    "    dl_iterate_phdr(first, &base);\n"
    "    return printf(\"%lx\\n\", (unsigned long)(at - base));\n"
    "}\n"
    "static inline __attribute__((always_inline)) int helper(int more)\n"
    "{\n"
    "    return here() + more;\n" /* 18 */
    "}\n"
    "int main(int argc, char **argv)\n"
    "{\n"
    "    (void)argv;\n"
    "    return helper(argc) < 0;\n" /* 23 */
    "}\n";

static char folder[PATH_MAX];
static struct source_frame frame[SOURCE_FRAMES];

static void run(const char *command)
{
    char line[3 * PATH_MAX];

    snprintf(line, sizeof(line), "cd %s && %s", folder, command);
    assert_int_equal(system(line), 0);
}

/* Compiles and runs it, and looks the address up. Returns the frames. */
static size_t find(const char *compile, const char *afterwards)
{
    char path[PATH_MAX + 16];
    unsigned long address;

    unit_write(folder, "wrong.c", program);
    run(compile);
    run("./wrong >address");
    run(afterwards);
    snprintf(path, sizeof(path), "%s/address", folder);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lx", &address), 1);
    fclose(file);
    snprintf(path, sizeof(path), "%s/wrong", folder);
    struct source *source = source_open(path);
    size_t count = source_find(source, address, frame, SOURCE_FRAMES);
    source_close(source);
    return count;
}

static void assert_frame(size_t i, const char *function, int line)
{
    assert_string_equal(frame[i].function, function);
    assert_string_equal(frame[i].file, "wrong.c");
    assert_int_equal(frame[i].line, line);
}

static void each_way_to_compile_gives_the_line(void **state)
{
    static const char *const compilers[] = {"gcc", "clang"};
    static const char *const kinds[] = {"-pie -fPIE", "-no-pie -fno-pie"};

    (void)state;
    for (int compiler = 0; compiler < 2; compiler++)
        for (int level = 0; level <= 2; level++)
            for (int kind = 0; kind < 2; kind++) {
                char compile[128];

                snprintf(compile, sizeof(compile),
                         "%s -g -gdwarf-4 -O%d %s -o wrong wrong.c",
                         compilers[compiler], level, kinds[kind]);
                print_message("%s\n", compile);
                assert_int_equal(find(compile, "true"), 2);
                assert_frame(0, "helper", 18);
                assert_frame(1, "main", 23);
            }
}

static void without_debug_information_there_is_the_function(void **state)
{
    (void)state;
    assert_int_equal(find("gcc -O1 -o wrong wrong.c", "true"), 1);
    assert_string_equal(frame[0].function, "main");
    assert_string_equal(frame[0].file, "");
    assert_int_equal(frame[0].line, 0);
}

static void stripped_programs_give_nothing(void **state)
{
    (void)state;
    assert_int_equal(find("gcc -g -O1 -o wrong wrong.c", "strip wrong"), 0);
}

static void deleted_sources_are_not_asked_for(void **state)
{
    (void)state;
    assert_int_equal(find("gcc -g -O1 -o wrong wrong.c", "rm wrong.c"), 2);
    assert_frame(0, "helper", 18);
}

static void what_is_no_program_gives_nothing(void **state)
{
    (void)state;
    assert_int_equal(source_find(NULL, 1, frame, SOURCE_FRAMES), 0);
    assert_int_equal(find("gcc -g -o wrong wrong.c", ": >wrong"), 0);
    assert_int_equal(find("gcc -g -o wrong wrong.c", "rm wrong"), 0);
}

static int set_up(void **state)
{
    (void)state;
    unit_folder(folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unit_remove(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_way_to_compile_gives_the_line),
        cmocka_unit_test(without_debug_information_there_is_the_function),
        cmocka_unit_test(stripped_programs_give_nothing),
        cmocka_unit_test(deleted_sources_are_not_asked_for),
        cmocka_unit_test(what_is_no_program_gives_nothing),
    };

    unit_begin();
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
