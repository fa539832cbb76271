/* sweep_internal.h - what sweep.c (the work list) and scene.c (what is played
 * and how it is judged) share. */
#ifndef FAULTLINE_SWEEP_INTERNAL_H
#define FAULTLINE_SWEEP_INTERNAL_H

#include "play_internal.h"
#include "sweep.h"

/* What the program holds when the scene is over and nothing has failed. */
struct scene_baseline {
    bool known;
    unsigned processes, threads, descriptors;
};

/* One play of the scene. */
struct scene {
    struct play *play;
    const struct scene_baseline *baseline;
    enum failure_class class;
    bool fails; /* a failure is planned: its class says what it may cost */
};

/* Plays the step's scene to its end, and judges it. Ends by play_fail() where
 * the failure cost more than it may. */
void scene_play(const struct scene *scene);

/* Takes the baseline, at the end of a scene without failures. */
void scene_measure(struct play *play, struct scene_baseline *baseline);

#endif
