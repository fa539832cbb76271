/* torture_plan.c - plans: draw them, compare them, make them smaller. */
#define _GNU_SOURCE
#include "torture_plan.h"

#include <stdio.h>
#include <string.h>

/* ---- At random, from a seed ---- */

/* splitmix64, after Steele, Lea and Flood, "Fast splittable pseudorandom
 * number generators", 2014. */
uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

unsigned draw_below(uint64_t *state, unsigned bound)
{
    return (unsigned)(draw(state) % bound);
}

bool atoms_agree(const struct atom *a, const struct atom *b)
{
    if ((a->class == CLASS_STARTUP) != (b->class == CLASS_STARTUP))
        return false;
    return a->fault.family != b->fault.family ||
           a->fault.conn != b->fault.conn || a->fault.first != b->fault.first;
}

static bool agrees_with_all(const struct plan *plan, const struct atom *atom)
{
    for (unsigned i = 0; i < plan->count; i++)
        if (!atoms_agree(&plan->atom[i], atom))
            return false;
    return true;
}

/* Sizes around what matters: a byte, a line, more than a read takes. */
static uint32_t draw_bytes(uint64_t *state)
{
    static const uint32_t sizes[] = {1, 2, 60, 300, 700, 4096, 5000, 20000};

    return sizes[draw_below(state, sizeof(sizes) / sizeof(*sizes))];
}

/* One more act, where the clients could do so. */
static void draw_act(struct schedule *schedule, uint64_t *state,
                     unsigned *connected, unsigned clients, bool resets)
{
    struct schedule_act *act = &schedule->act[schedule->count++];
    unsigned dice = draw_below(state, 10);

    if (*connected == 0 || (dice < 2 && *connected < clients)) {
        *act = (struct schedule_act){++*connected, ACT_CONNECT, 0};
        return;
    }
    act->client = 1 + draw_below(state, *connected);
    act->what = dice < 7              ? ACT_SEND
                : dice < 9 || !resets ? ACT_HALF_CLOSE
                                      : ACT_RESET;
    act->bytes = act->what == ACT_SEND ? draw_bytes(state) : 0;
    if (schedule_trouble(schedule))
        schedule->count--;
}

static void draw_schedule(struct schedule *schedule, uint64_t *state,
                          bool resets)
{
    unsigned clients = 1 + draw_below(state, 4), connected = 0;
    unsigned draws = 4 + draw_below(state, 12);

    schedule->count = 0;
    while (draws-- > 0)
        draw_act(schedule, state, &connected, clients, resets);
}

void plan_draw(struct plan *plan, uint64_t *state, const struct atom *atoms,
               size_t count, enum drawn_clients clients)
{
    unsigned wanted = clients ? draw_below(state, 4) : 3 + draw_below(state, 3);

    memset(plan, 0, sizeof(*plan));
    if (clients)
        draw_schedule(&plan->schedule, state, clients == CLIENTS_THAT_RESET);
    for (unsigned tries = 0; tries < 4 * wanted && count > 0; tries++) {
        const struct atom *atom = &atoms[draw_below(state, (unsigned)count)];

        if (plan->count < wanted && plan->count < WORK_FAULTS &&
            agrees_with_all(plan, atom))
            plan->atom[plan->count++] = *atom;
    }
}

/* ---- Pairs ---- */

/* A call that fails, and then fails again. */
static bool is_near(const struct fault *one, const struct fault *other)
{
    return one->family == other->family && one->conn == other->conn &&
           (one->first + 1 == other->first || other->first + 1 == one->first);
}

static void swap(struct pair *one, struct pair *other)
{
    struct pair pair = *one;

    *one = *other;
    *other = pair;
}

size_t pairs_draw(struct pair *pairs, size_t most, uint64_t state,
                  const struct atom *atoms, size_t count)
{
    size_t pair_count = 0, near = 0;

    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count && pair_count < most; k++)
            if (atoms_agree(&atoms[i], &atoms[k]))
                pairs[pair_count++] = (struct pair){(uint16_t)i, (uint16_t)k};
    for (size_t i = pair_count; i > 1; i--)
        swap(&pairs[i - 1], &pairs[draw_below(&state, (unsigned)i)]);
    for (size_t i = 0; i < pair_count; i++)
        if (is_near(&atoms[pairs[i].one].fault, &atoms[pairs[i].other].fault))
            swap(&pairs[i], &pairs[near++]);
    return pair_count;
}

/* ---- Compared ---- */

static bool is_same_fault(const struct fault *a, const struct fault *b)
{
    return a->family == b->family && a->call == b->call && a->conn == b->conn &&
           a->first == b->first && a->last == b->last &&
           a->action == b->action && a->value == b->value;
}

static bool is_in(const struct plan *plan, const struct atom *atom)
{
    for (unsigned i = 0; i < plan->count; i++)
        if (is_same_fault(&plan->atom[i].fault, &atom->fault))
            return true;
    return false;
}

bool plan_contains(const struct plan *whole, const struct plan *part)
{
    char one[SCHEDULE_TEXT], other[SCHEDULE_TEXT];

    for (unsigned i = 0; i < part->count; i++)
        if (!is_in(whole, &part->atom[i]))
            return false;
    schedule_format(&whole->schedule, one, sizeof(one));
    schedule_format(&part->schedule, other, sizeof(other));
    return strcmp(one, other) == 0;
}

enum failure_class plan_class(const struct plan *plan)
{
    enum failure_class class = CLASS_TRANSPARENT;

    for (unsigned i = 0; i < plan->count; i++)
        if (plan->atom[i].class > class)
            class = plan->atom[i].class;
    return class;
}

/* ---- Smaller ---- */

static bool without_client(struct schedule *schedule, unsigned client)
{
    size_t kept = 0, count = schedule->count;

    for (size_t i = 0; i < count; i++) {
        struct schedule_act act = schedule->act[i];

        if (act.client == client)
            continue;
        act.client -= act.client > client;
        schedule->act[kept++] = act;
    }
    schedule->count = kept;
    return kept > 0 && kept < count;
}

static bool without_act(struct schedule *schedule, size_t index)
{
    memmove(&schedule->act[index], &schedule->act[index + 1],
            (schedule->count - index - 1) * sizeof(schedule->act[0]));
    schedule->count--;
    return !schedule_trouble(schedule);
}

unsigned plan_ways(const struct plan *plan)
{
    return plan->count + 1 + SCHEDULE_CLIENTS + (unsigned)plan->schedule.count;
}

bool plan_shrink(struct plan *smaller, const struct plan *plan, unsigned way)
{
    *smaller = *plan;
    if (way < plan->count) {
        memmove(&smaller->atom[way], &smaller->atom[way + 1],
                (plan->count - way - 1) * sizeof(plan->atom[0]));
        smaller->count--;
        return smaller->count + smaller->schedule.count > 0;
    }
    way -= plan->count;
    if (plan->schedule.count == 0)
        return false;
    if (way == 0) {
        smaller->schedule.count = 0;
        return smaller->count > 0;
    }
    if (way <= SCHEDULE_CLIENTS)
        return without_client(&smaller->schedule, way);
    return without_act(&smaller->schedule, way - SCHEDULE_CLIENTS - 1);
}

char *plan_format(const struct plan *plan, char *text, size_t size)
{
    size_t at = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < plan->count && at < size; i++) {
        char one[96];

        fault_format(&plan->atom[i].fault, one, sizeof(one));
        at += (size_t)snprintf(text + at, size - at, "%s%s", i ? "," : "", one);
    }
    return text;
}
