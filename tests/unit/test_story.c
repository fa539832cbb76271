/* Tests of story.c: the last lines of a story, repetitions told once, calls
 * that a jump has left. */
#include "unit.h"

#include "../../harness/story.h"

static struct story_row rows[64];
static struct story story = {.row = rows};

static void say(const char *who, const char *act, const char *where)
{
    struct story_row *row = &rows[story.count++];

    *row = (struct story_row){.process = 1};
    snprintf(row->who, sizeof(row->who), "%s", who);
    snprintf(row->act, sizeof(row->act), "%s", act);
    snprintf(row->where, sizeof(row->where), "%s", where);
}

static void assert_tail(size_t count, const char *expected)
{
    char text[1024];

    assert_string_equal(story_tail(&story, count, text, sizeof(text)),
                        expected);
}

static int begin(void **state)
{
    (void)state;
    story.count = 0;
    return 0;
}

static void the_last_lines_are_told(void **state)
{
    (void)state;
    assert_tail(2, "");
    say("play", "begins", "");
    say("client 1", "connects", "");
    say("process 1", "accept(3) = 4", "a.c:7");
    rows[2].injected = true;
    assert_tail(2, "client 1    connects\nprocess 1   ! accept(3) = 4  a.c:7");
    assert_tail(9, "play        begins\nclient 1    connects\n"
                   "process 1   ! accept(3) = 4  a.c:7");
}

static void the_same_is_told_once(void **state)
{
    (void)state;
    say("client 1", "connects", "");
    for (int i = 0; i < 5; i++)
        say("process 1", "read(4) = 1", "a.c:7");
    say("process 2", "read(4) = 1", "a.c:7");
    assert_tail(2, "process 1   read(4) = 1  a.c:7  (x5)\n"
                   "process 2   read(4) = 1  a.c:7");
}

/* A loop that polls has other things told beside it. */
static void what_comes_in_turn_is_told_once(void **state)
{
    (void)state;
    say("client 1", "connects", "");
    for (int i = 0; i < 4; i++) {
        say("process 1", "waitpid(-1) = ECHILD", "a.c:7");
        say("process 1", "poll(200 ms) = 0", "a.c:8");
    }
    say("process 1", "waitpid(-1) = ECHILD", "a.c:7");
    assert_tail(4, "client 1    connects\n"
                   "process 1   waitpid(-1) = ECHILD  a.c:7\n"
                   "process 1   poll(200 ms) = 0  a.c:8  (both x4)\n"
                   "process 1   waitpid(-1) = ECHILD  a.c:7");
}

static void twice_in_turn_is_told_as_it_was(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        say("process 1", "read(4) = 1", "a.c:7");
        say("process 1", "write(4) = 1", "a.c:8");
    }
    assert_tail(8, "process 1   read(4) = 1  a.c:7\n"
                   "process 1   write(4) = 1  a.c:8\n"
                   "process 1   read(4) = 1  a.c:7\n"
                   "process 1   write(4) = 1  a.c:8");
}

static void is_called(int thread, bool in_handler, bool blocked)
{
    if (!in_handler)
        story_leave(&story, 1, thread);
    say("process 1", blocked ? "read(4) ... blocked" : "read(4) = 1", "a.c:7");
    rows[story.count - 1].thread = thread;
    rows[story.count - 1].in_handler = in_handler;
    rows[story.count - 1].blocked = blocked;
}

static void what_a_jump_leaves_never_returned(void **state)
{
    (void)state;
    is_called(1, false, true);
    is_called(1, true, false); /* its handler, from which it jumps */
    is_called(2, false, false);
    is_called(1, false, true);
    assert_string_equal(rows[0].act, "read(4) ... never returned");
    assert_false(rows[0].blocked);
    assert_string_equal(rows[3].act, "read(4) ... blocked");
    assert_true(rows[3].blocked);
}

static void a_handler_or_another_thread_leaves_no_call(void **state)
{
    (void)state;
    is_called(1, false, true);
    is_called(1, true, true);
    is_called(2, false, false);
    story_leave(&story, 2, 1); /* of another process */
    assert_string_equal(rows[0].act, "read(4) ... blocked");
    assert_string_equal(rows[1].act, "read(4) ... blocked");
}

static void it_ends_where_the_room_does(void **state)
{
    char text[16];

    (void)state;
    for (int i = 0; i < 9; i++)
        say("client 1", i % 2 ? "sends 1 byte" : "connects", "");
    assert_int_equal(strlen(story_tail(&story, 9, text, sizeof(text))), 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_last_lines_are_told, begin),
        cmocka_unit_test_setup(the_same_is_told_once, begin),
        cmocka_unit_test_setup(what_comes_in_turn_is_told_once, begin),
        cmocka_unit_test_setup(twice_in_turn_is_told_as_it_was, begin),
        cmocka_unit_test_setup(what_a_jump_leaves_never_returned, begin),
        cmocka_unit_test_setup(a_handler_or_another_thread_leaves_no_call,
                               begin),
        cmocka_unit_test_setup(it_ends_where_the_room_does, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
