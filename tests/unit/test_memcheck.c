/* test_memcheck.c - what valgrind reports, in the student's terms: reports
 * kept from real runs (data/), and one real run of a wrong program.
 *
 * The program of data/ is wrong.c.txt, valgrind's version 3.19.
 */
#include "unit.h"

#include "../../harness/memcheck.h"

#define PROGRAM "/kit/submission/wrong"

static struct findings read_data(const char *name)
{
    struct findings findings = {0};
    char path[64];

    snprintf(path, sizeof(path), "tests/unit/data/%s.xml", name);
    assert_int_equal(findings_read(&findings, path, PROGRAM), 1);
    return findings;
}

static void assert_at(const struct finding_frame *frame, const char *function)
{
    assert_string_equal(frame->function, function);
    assert_string_equal(frame->file, "wrong.c");
    assert_true(frame->line > 0);
}

static void accesses_are_told_with_their_block(void **state)
{
    struct findings found = read_data("accesses");

    (void)state;
    assert_int_equal(found.count, 4);
    assert_string_equal(found.finding[0].words,
                        "writes 1 byte behind the end of a block of 10 bytes");
    assert_at(&found.finding[0].at[0], "use");
    assert_at(&found.finding[0].at[1], "accesses");
    assert_string_equal(found.finding[0].other_words, "allocated in");
    assert_at(&found.finding[0].other, "accesses");
    assert_string_equal(
        found.finding[1].words,
        "writes 1 byte in a block of 10 bytes that has been freed");
    assert_string_equal(found.finding[1].other_words, "freed in");
    assert_at(&found.finding[1].other, "give_back");
    assert_string_equal(found.finding[2].words, "frees a block a second time");
    assert_at(&found.finding[2].at[0], "give_back");
    assert_string_equal(found.finding[3].words,
                        "writes 4 bytes through a null pointer");
    assert_null(found.finding[0].hint);
    assert_non_null(strstr(found.finding[1].hint, "after free(3)"));
    assert_non_null(strstr(found.finding[2].hint, "Which place frees it"));
    assert_non_null(strstr(found.finding[3].hint, "NULL"));
    findings_release(&found);
}

static void unset_bytes_are_told_where_they_leave(void **state)
{
    struct findings found = read_data("unset");

    (void)state;
    assert_int_equal(found.count, 2);
    assert_string_equal(found.finding[0].words,
                        "decides by a value that was never set");
    assert_string_equal(found.finding[1].words,
                        "hands bytes that were never set to write()");
    assert_at(&found.finding[1].at[0], "unset");
    findings_release(&found);
}

static void what_is_lost_again_and_again_is_a_leak(void **state)
{
    struct findings found = read_data("lost");
    unsigned more;

    (void)state;
    const struct finding *leak = findings_first(&found, OBLIGATION_leak, &more);
    assert_non_null(leak);
    assert_int_equal(leak->blocks, 3);
    assert_int_equal(leak->bytes, 300);
    assert_at(&leak->at[0], "lose");
    assert_int_equal(more, 0);
    findings_release(&found);
}

static void what_is_lost_once_is_none(void **state)
{
    struct findings found = read_data("lost");
    unsigned more;

    (void)state;
    found.finding[0].blocks = 1;
    assert_null(findings_first(&found, OBLIGATION_leak, &more));
    findings_release(&found);
}

static void open_connections_are_counted_listening_sockets_not(void **state)
{
    struct findings found = read_data("descriptors");

    (void)state;
    assert_int_equal(found.count, 1);
    assert_int_equal(found.finding[0].obligation, OBLIGATION_descriptors);
    assert_int_equal(found.finding[0].blocks, 3);
    assert_at(&found.finding[0].at[0], "connections");
    findings_release(&found);
}

/* A read and a write of the same two lines. */
static void a_race_is_one_however_many_reports(void **state)
{
    struct findings found = read_data("races");

    (void)state;
    assert_int_equal(found.count, 1);
    assert_true(found.finding[0].reports > 1);
    assert_string_equal(found.finding[0].words,
                        "reads total while another thread uses it");
    assert_at(&found.finding[0].at[0], "count");
    assert_string_equal(found.finding[0].other_words, "against the write in");
    assert_at(&found.finding[0].other, "count");
    findings_release(&found);
}

static void another_programs_faults_are_none(void **state)
{
    struct findings found = {0};

    (void)state;
    assert_int_equal(findings_read(&found, "tests/unit/data/accesses.xml",
                                   "/another/program"),
                     1);
    assert_int_equal(found.count, 0);
}

static void a_report_that_breaks_off_is_said_to(void **state)
{
    struct findings found = {0};

    (void)state;
    assert_int_equal(findings_read(&found, "tests/unit/data/cut.xml", PROGRAM),
                     0);
    assert_int_equal(found.count, 1);
    findings_release(&found);
}

static void what_is_no_xml_is_an_error(void **state)
{
    struct findings found = {0};

    (void)state;
    assert_int_equal(findings_read(&found, "Makefile", PROGRAM), -1);
    assert_int_equal(findings_read(&found, "tests/unit/data", PROGRAM), -1);
    assert_int_equal(findings_read(&found, "no such file", PROGRAM), -1);
}

static void a_verdict_names_line_and_caller(void **state)
{
    struct findings found = read_data("accesses");
    struct verdict verdict = {0};

    (void)state;
    memcheck_judge(&found, OBLIGATION_memory, &verdict);
    assert_int_equal(verdict.status, VERDICT_FAIL);
    assert_string_equal(verdict.file, "wrong.c");
    assert_string_equal(verdict.function, "use");
    assert_true(verdict.line > 0);
    assert_non_null(strstr(verdict.from, "accesses (wrong.c:"));
    assert_non_null(strstr(verdict.came, "behind the end of a block"));
    assert_non_null(strstr(verdict.came, "3 other findings"));
    memcheck_judge(&found, OBLIGATION_race, &verdict);
    assert_int_equal(verdict.status, VERDICT_PASS);
    findings_release(&found);
}

/* ---- A real run ---- */

static const char source[] =
    "#include <stdlib.h>\n"
    "#include <sys/wait.h>\n"
    "#include <unistd.h>\n"
    "static void spoil(volatile char *block) { block[10] = 1; }\n" /* 4 */
    "int main(void)\n"
    "{\n"
    "    if (fork() == 0) {\n"
    "        spoil(malloc(10));\n"
    "        close(0);\n"
    "        close(0);\n" /* 10 */
    "        for (;;)\n"
    "            pause();\n"
    "    }\n"
    "    wait(NULL);\n"
    "    return 0;\n"
    "}\n";

static bool has_failed(const struct trace_record *record, const void *arg)
{
    (void)arg;
    return record->call == CALL_close && record->returned &&
           record->result == -1;
}

static void run(struct memcheck *memcheck, struct program *program,
                struct findings *found)
{
    struct program_start start = {.argv = (const char *const[]){"wrong", NULL},
                                  .descriptors = 64,
                                  .input = -1,
                                  .output = -1};
    struct trace_record record;

    trace_reset(program->trace);
    assert_int_equal(program_run(program, &start), 0);
    for (int look = 0;
         look < UNIT_LOOKS &&
         !trace_find_last(program->trace, has_failed, NULL, &record);
         look++)
        trace_wait(program->trace, program->trace->seq, 1000);
    assert_int_equal(memcheck_collect(memcheck, program, true, found), 0);
    program_kill(program);
}

static void a_child_and_its_parent_are_watched(void **state)
{
    char folder[PATH_MAX], binary[PATH_MAX + 8];
    struct program_build build;
    struct memcheck memcheck;
    struct program program;
    struct findings found;
    unsigned more;

    (void)state;
    unit_folder(folder);
    unit_write(folder, "wrong.c", source);
    snprintf(binary, sizeof(binary), "%s/wrong", folder);
    assert_int_equal(program_build(&build, folder, "wrong", binary), 0);
    assert_true(build.built);
    if (memcheck_open(&memcheck, TOOL_MEMCHECK, &program, binary,
                      getenv("FAULTLINE_INTERPOSER")) < 0)
        fail_msg("%s", memcheck.trouble);
    for (int i = 0; i < 2; i++) { /* the second finds what the first found */
        run(&memcheck, &program, &found);
        const struct finding *bad =
            findings_first(&found, OBLIGATION_memory, &more);
        assert_non_null(bad);
        assert_int_equal(bad->at[0].line, 4);
        bad = findings_first(&found, OBLIGATION_descriptors, &more);
        assert_non_null(bad);
        assert_int_equal(bad->at[0].line, 10);
        findings_release(&found);
    }
    memcheck_close(&memcheck, &program);
    unit_remove(folder);
}

/* Behind the end of an array on the stack, and in a static one: valgrind alone
 * sees neither. The end itself may be named. */
static const char overruns[] =
    "#include <string.h>\n"
    "#include <unistd.h>\n"
    "static int table[4];\n"
    "char *end;\n"
    "int main(int argc, char *argv[])\n"
    "{\n"
    "    char name[8];\n"
    "    size_t len = strlen(argv[0]) + 3;\n" /* 8: of "wrong" */
    "    end = &name[len];\n"
    "    memset(name, 'x', len);\n"
    "    name[len] = '\\0';\n" /* 11 */
    "    table[argc + 3] = name[1];\n"
    "    return close(-1);\n"
    "}\n";

static struct findings found_in(const char *text)
{
    char folder[PATH_MAX], binary[PATH_MAX + 8];
    const char *library = getenv("FAULTLINE_INTERPOSER");
    struct memcheck memcheck;
    struct program program;
    struct findings found;

    unit_folder(folder);
    unit_write(folder, "wrong.c", text);
    snprintf(binary, sizeof(binary), "%s/wrong", folder);
    assert_int_equal(program_build_checked(folder, "wrong", library, binary),
                     0);
    if (memcheck_open(&memcheck, TOOL_MEMCHECK, &program, binary, library) < 0)
        fail_msg("%s", memcheck.trouble);
    run(&memcheck, &program, &found);
    memcheck_close(&memcheck, &program);
    unit_remove(folder);
    return found;
}

static void arrays_that_are_not_the_heaps_have_ends(void **state)
{
    struct findings found = found_in(overruns);

    (void)state;
    assert_int_equal(found.count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(found.finding[i].words,
                            "uses an element that the array does not have");
        assert_int_equal(found.finding[i].obligation, OBLIGATION_memory);
        assert_int_equal(found.finding[i].at[0].line, 11 + i);
    }
    findings_release(&found);
}

/* tcp(7), MSG_TRUNC: what nobody wants to read needs no buffer. */
static const char dropped[] =
    "#include <netinet/in.h>\n"
    "#include <sys/socket.h>\n"
    "#include <unistd.h>\n"
    "int main(void)\n"
    "{\n"
    "    struct sockaddr_in at = {.sin_family = AF_INET};\n"
    "    socklen_t len = sizeof(at);\n"
    "    int listener = socket(AF_INET, SOCK_STREAM, 0);\n"
    "    int client = socket(AF_INET, SOCK_STREAM, 0);\n"
    "    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);\n"
    "    bind(listener, (struct sockaddr *)&at, len);\n"
    "    listen(listener, 1);\n"
    "    getsockname(listener, (struct sockaddr *)&at, &len);\n"
    "    connect(client, (struct sockaddr *)&at, len);\n"
    "    int server = accept(listener, NULL, NULL);\n"
    "    write(client, \"dropped\", 7);\n"
    "    ssize_t n = recv(server, NULL, 4, MSG_TRUNC);\n"
    "    n += recvfrom(server, NULL, 4000, MSG_TRUNC, NULL, NULL);\n"
    "    close(client);\n"
    "    close(server);\n"
    "    close(listener);\n"
    "    close(-1);\n"
    "    _exit(n == 7 ? 0 : *(char *)1);\n" /* a finding, if it is another */
    "}\n";

static void bytes_may_be_dropped_without_a_buffer(void **state)
{
    struct findings found = found_in(dropped);

    (void)state;
    assert_int_equal(found.count, 0);
    findings_release(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accesses_are_told_with_their_block),
        cmocka_unit_test(unset_bytes_are_told_where_they_leave),
        cmocka_unit_test(what_is_lost_again_and_again_is_a_leak),
        cmocka_unit_test(what_is_lost_once_is_none),
        cmocka_unit_test(open_connections_are_counted_listening_sockets_not),
        cmocka_unit_test(a_race_is_one_however_many_reports),
        cmocka_unit_test(another_programs_faults_are_none),
        cmocka_unit_test(a_report_that_breaks_off_is_said_to),
        cmocka_unit_test(what_is_no_xml_is_an_error),
        cmocka_unit_test(a_verdict_names_line_and_caller),
        cmocka_unit_test(a_child_and_its_parent_are_watched),
        cmocka_unit_test(arrays_that_are_not_the_heaps_have_ends),
        cmocka_unit_test(bytes_may_be_dropped_without_a_buffer),
    };

    unit_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
