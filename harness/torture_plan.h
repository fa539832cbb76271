/* torture_plan.h - what torture plays: failures together, and clients that act
 * at random, drawn from a seed.
 *
 * Must not know: how a plan is played and judged.
 */
#ifndef FAULTLINE_TORTURE_PLAN_H
#define FAULTLINE_TORTURE_PLAN_H

#include "schedule.h"
#include "worklist.h"

/* A failure that fired by itself, and what it may cost. */
struct atom {
    struct fault fault;
    enum failure_class class;
};

struct plan {
    struct atom atom[WORK_FAULTS];
    unsigned count;
    struct schedule schedule; /* no acts: the step's own scene */
};

/* The next number of the stream that `*state` stands in (splitmix64): equal
 * states give equal streams on every machine. */
uint64_t draw(uint64_t *state);
unsigned draw_below(uint64_t *state, unsigned bound);

/* Can both come true in one run? Not at one and the same call, and not where
 * one of them ends the run before the other. */
bool atoms_agree(const struct atom *a, const struct atom *b);

/* Two of a table of atoms. */
struct pair {
    uint16_t one, other;
};

/* Lists the pairs that agree, at most `most`, in an order of chance, so that
 * where there is no time for all no kind of them is left out; but first a
 * call that fails, and then fails again. Returns how many. */
size_t pairs_draw(struct pair *pairs, size_t most, uint64_t state,
                  const struct atom *atoms, size_t count);

/* The step's own clients, or some at random. A client that resets its
 * connection may raise SIGPIPE, which not every step is asked to survive. */
enum drawn_clients { CLIENTS_USUAL, CLIENTS_IN_ORDER, CLIENTS_THAT_RESET };

/* Draws a plan of some of these atoms, with such clients. */
void plan_draw(struct plan *plan, uint64_t *state, const struct atom *atoms,
               size_t count, enum drawn_clients clients);

/* Is every failure of `part` in `whole`, under the same schedule? */
bool plan_contains(const struct plan *whole, const struct plan *part);

/* The dearest class of its failures. */
enum failure_class plan_class(const struct plan *plan);

/* Makes it smaller in one of plan_ways() ways, from 0: one failure less, the
 * step's own scene, one client less, one act less. Returns false where that
 * is no plan, or the same one. */
unsigned plan_ways(const struct plan *plan);
bool plan_shrink(struct plan *smaller, const struct plan *plan, unsigned way);

/* Its failures as of fault.h. Returns `text`. */
char *plan_format(const struct plan *plan, char *text, size_t size);

#endif
