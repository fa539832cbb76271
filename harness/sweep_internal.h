/* sweep_internal.h - what sweep.c (the rounds), lanes.c (several runs side by
 * side), scene.c (what is played and how it is judged) and harm.c (what is
 * told of it) share. */
#ifndef FAULTLINE_SWEEP_INTERNAL_H
#define FAULTLINE_SWEEP_INTERNAL_H

#include "play_internal.h"
#include "sweep.h"
#include "worklist.h"

/* What the program holds when the scene is over and nothing has failed. */
struct scene_baseline {
    bool known;
    unsigned processes, threads;
    struct census_held descriptors;
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

/* Conditions of play_until(), of a client: nothing is owed to it any more, or
 * its connection has ended; it has ended. */
bool scene_client_is_settled(struct play *play, void *client);
bool scene_client_is_over(struct play *play, void *client);

/* A run of the client against an echo server, to its end: three lines.
 * Returns the user who types them. */
struct peer *scene_of_client(struct play *play);

/* Takes the baseline, at the end of a scene without failures. */
void scene_measure(struct play *play, struct scene_baseline *baseline);

/* What came of one run. */
struct outcome {
    bool fired; /* what was planned has happened */
    bool waits; /* to see it at rest took time and no processor */
    struct verdict verdict;
    struct scene_baseline baseline; /* where nothing was to fail */
    struct swept_calls calls;
};

struct sweep {
    struct play *play; /* the row's: its verdict is the sweep's */
    struct scene_baseline baseline;
    bool waits; /* as the recordings did */
    struct worklist list;
    struct outcome *outcome; /* of each work, shared between processes */
    char differs[192];       /* where two recordings do; "": nowhere */
};

/* A program to play with: the row's own, or a lane's. */
struct lane {
    struct program *program;
    uint16_t next_port;
};

/* Plays the scene once, in a play of its own. `work` NULL: nothing fails. */
void sweep_run(const struct sweep *sweep, struct lane *lane,
               const struct work *work, struct outcome *outcome);

/* Plays the works from `first` to below `end`, several at a time: most of
 * what a shortage costs is waiting. */
void lanes_play(const struct sweep *sweep, size_t first, size_t end);

/* Sums up the outcomes in the row's verdict. */
void harm_tell(struct sweep *sweep);

#endif
