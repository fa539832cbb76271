/* sweep.h - every call of a recorded run x every failure of the catalogue.
 *
 * A sweep records the step's scene without failures, twice, then plays it
 * again for each recorded call and each failure that the catalogue allows
 * there. Calls that show up for the first time behind a failure are queued
 * and failed in turn, on top of the first failure. Each run is judged by what
 * the class of its failure may cost.
 */
#ifndef FAULTLINE_SWEEP_H
#define FAULTLINE_SWEEP_H

#include "catalogue.h"
#include "play.h"

/* Plays for a step's rows, one a class of failures. The verdict says how many
 * of the injected failures the program survived, and where the others did
 * harm. */
void sweep_transparent(struct play *play);
void sweep_connection(struct play *play);
void sweep_resource(struct play *play);
void sweep_startup(struct play *play);

/* For a play under a tool, whose every start is dear: goes on in one run (a
 * client's: in one play), with visits for each failure that a call at each
 * place of the code can have. A failure on a connection hits `at_once` of
 * them, 1 or 2, that are served side by side. Nothing is judged: other rows
 * do. Where a visit comes to no end, it is the last. */
void sweep_visits(struct play *play, unsigned at_once);

/* The step with one case in place of its own: the sweep's scene under that
 * plan (fault.h), for a replay. `plan` must outlive it. */
struct step sweep_scene(const struct step *step, const char *plan);

#endif
