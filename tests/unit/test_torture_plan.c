/* test_torture_plan.c - plans of torture: drawn from a seed, made smaller. */
#include "unit.h"

#include "../../harness/torture_plan.h"

#define ATOMS 40

/* Reads of four connections, ten each; every fourth breaks a connection. */
static void make_atoms(struct atom atoms[ATOMS])
{
    memset(atoms, 0, ATOMS * sizeof(*atoms));
    for (int i = 0; i < ATOMS; i++) {
        atoms[i].fault.family = FAMILY_READ;
        atoms[i].fault.conn = 1 + i / 10;
        atoms[i].fault.first = atoms[i].fault.last = (uint32_t)(1 + i % 10);
        atoms[i].fault.action = FAULT_SHORT;
        atoms[i].fault.value = 1;
        atoms[i].class = i % 4 ? CLASS_TRANSPARENT : CLASS_CONNECTION;
    }
}

static void as_text(const struct plan *plan, char text[1200])
{
    char faults[600], acts[SCHEDULE_TEXT];

    snprintf(text, 1200, "%s %s", plan_format(plan, faults, sizeof(faults)),
             schedule_format(&plan->schedule, acts, sizeof(acts)));
}

static void draw_many(uint64_t seed, char texts[200][1200])
{
    struct atom atoms[ATOMS];
    uint64_t state = seed;

    make_atoms(atoms);
    for (int i = 0; i < 200; i++) {
        struct plan plan;

        plan_draw(&plan, &state, atoms, ATOMS,
                  i % 2 ? CLIENTS_THAT_RESET : CLIENTS_USUAL);
        as_text(&plan, texts[i]);
        if (plan.schedule.count > 0)
            assert_null(schedule_trouble(&plan.schedule));
        assert_int_equal(plan.schedule.count > 0, i % 2);
    }
}

static char one[200][1200], other[200][1200];

static void equal_seeds_give_equal_plans(void **state)
{
    (void)state;
    draw_many(17, one);
    draw_many(17, other);
    assert_memory_equal(one, other, sizeof(one));
}

static void other_seeds_give_other_plans(void **state)
{
    int same = 0;

    (void)state;
    draw_many(17, one);
    draw_many(18, other);
    for (int i = 0; i < 200; i++)
        same += strcmp(one[i], other[i]) == 0;
    assert_true(same < 20);
}

static void clients_reset_only_where_they_may(void **state)
{
    int resets[3] = {0};
    uint64_t seed = 11;

    (void)state;
    for (int i = 0; i < 600; i++) {
        struct plan plan;
        char text[SCHEDULE_TEXT];

        plan_draw(&plan, &seed, NULL, 0, (enum drawn_clients)(i % 3));
        schedule_format(&plan.schedule, text, sizeof(text));
        resets[i % 3] += strchr(text, '!') != NULL;
    }
    assert_int_equal(resets[CLIENTS_IN_ORDER], 0);
    assert_true(resets[CLIENTS_THAT_RESET] > 50);
}

static void no_plan_fails_a_call_twice(void **state)
{
    struct atom atoms[ATOMS];
    uint64_t seed = 3;

    (void)state;
    make_atoms(atoms);
    for (int i = 0; i < 500; i++) {
        struct plan plan;

        plan_draw(&plan, &seed, atoms, ATOMS, CLIENTS_USUAL);
        assert_in_range(plan.count, 1, WORK_FAULTS);
        for (unsigned a = 0; a < plan.count; a++)
            for (unsigned b = 0; b < a; b++)
                assert_true(atoms_agree(&plan.atom[a], &plan.atom[b]));
    }
}

static void every_pair_comes_once_and_near_ones_first(void **state)
{
    static struct pair pairs[ATOMS * ATOMS];
    static bool seen[ATOMS][ATOMS];
    struct atom atoms[ATOMS];

    (void)state;
    make_atoms(atoms);
    size_t count = pairs_draw(pairs, ATOMS * ATOMS, 5, atoms, ATOMS);
    assert_int_equal(count, ATOMS * (ATOMS - 1) / 2);
    for (size_t i = 0; i < count; i++) {
        int apart = pairs[i].other - pairs[i].one;

        assert_false(seen[pairs[i].one][pairs[i].other]);
        seen[pairs[i].one][pairs[i].other] = true;
        assert_int_equal(i < 36, apart == 1 && pairs[i].other % 10 != 0);
    }
    assert_int_equal(pairs_draw(pairs, 7, 5, atoms, ATOMS), 7);
}

static void failures_to_start_keep_to_themselves(void **state)
{
    struct atom atoms[ATOMS];

    (void)state;
    make_atoms(atoms);
    assert_true(atoms_agree(&atoms[0], &atoms[1]));
    atoms[0].class = CLASS_STARTUP;
    assert_false(atoms_agree(&atoms[0], &atoms[1]));
}

static void the_dearest_class_counts(void **state)
{
    struct plan plan = {.count = 2};

    (void)state;
    assert_int_equal(plan_class(&plan), CLASS_TRANSPARENT);
    plan.atom[1].class = CLASS_RESOURCE;
    assert_int_equal(plan_class(&plan), CLASS_RESOURCE);
}

/* Takes away whatever can be while `needed` is in it. */
static void minimise(struct plan *plan, const char *needed)
{
    struct plan smaller;
    char text[1200];
    unsigned way = 0;

    while (way < plan_ways(plan)) {
        bool sound = plan_shrink(&smaller, plan, way);

        as_text(&smaller, text);
        if (sound && strstr(text, needed)) {
            *plan = smaller;
            way = 0;
        } else {
            way++;
        }
    }
    as_text(plan, text);
    assert_string_equal(text, needed);
}

static void only_what_is_needed_stays(void **state)
{
    struct plan plan = {.count = 3};
    struct atom atoms[ATOMS];
    const char *error;

    (void)state;
    make_atoms(atoms);
    for (int i = 0; i < 3; i++)
        plan.atom[i] = atoms[i * 11];
    assert_int_equal(
        schedule_parse(&plan.schedule, "1+,1:60,2+,2:1,2:700,1.,2!", &error),
        0);
    struct plan copy = plan;
    minimise(&copy, "read@conn2#2=short:1 ");
    copy = plan;
    minimise(&copy, " 1+,1:60");
}

static void clients_move_up_when_one_goes(void **state)
{
    struct plan plan = {.count = 0}, smaller;
    const char *error;
    char text[SCHEDULE_TEXT];

    (void)state;
    schedule_parse(&plan.schedule, "1+,1:60,2+,2:1,1.,2!", &error);
    assert_true(plan_shrink(&smaller, &plan, 1));
    schedule_format(&smaller.schedule, text, sizeof(text));
    assert_string_equal(text, "1+,1:1,1!");
}

static void a_plan_is_known_by_its_part(void **state)
{
    struct plan whole = {.count = 2}, part = {.count = 1};
    struct atom atoms[ATOMS];
    const char *error;

    (void)state;
    make_atoms(atoms);
    whole.atom[0] = atoms[3];
    whole.atom[1] = part.atom[0] = atoms[15];
    assert_true(plan_contains(&whole, &part));
    assert_false(plan_contains(&part, &whole));
    schedule_parse(&part.schedule, "1+", &error);
    assert_false(plan_contains(&whole, &part));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_seeds_give_equal_plans),
        cmocka_unit_test(other_seeds_give_other_plans),
        cmocka_unit_test(clients_reset_only_where_they_may),
        cmocka_unit_test(no_plan_fails_a_call_twice),
        cmocka_unit_test(every_pair_comes_once_and_near_ones_first),
        cmocka_unit_test(failures_to_start_keep_to_themselves),
        cmocka_unit_test(the_dearest_class_counts),
        cmocka_unit_test(only_what_is_needed_stays),
        cmocka_unit_test(clients_move_up_when_one_goes),
        cmocka_unit_test(a_plan_is_known_by_its_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
