/* result_fixture.h - a result of two small steps, to score and to report. */
#ifndef FAULTLINE_RESULT_FIXTURE_H
#define FAULTLINE_RESULT_FIXTURE_H

#include "unit.h"

#include "../../harness/result.h"

static inline void fixture_play(struct play *play)
{
    (void)play;
}

static const struct step_case fixture_cases[] = {
    {.name = "compiles",
     .obligation = OBLIGATION_build,
     .points = 0,
     .why = "It must build.",
     .hint = "Read on."},
    {.name = "listens",
     .obligation = OBLIGATION_startup,
     .points = 2,
     .why = "It must listen.",
     .hint = "See listen(2).",
     .play = fixture_play,
     .needs = "compiles"},
    {.name = "echoes",
     .obligation = OBLIGATION_echo,
     .points = 3.5,
     .why = "It must echo.",
     .hint = "See write(2).",
     .faults = "write@conn1#1=short:1",
     .play = fixture_play,
     .needs = "listens"},
    {.name = "reaps",
     .obligation = OBLIGATION_zombie,
     .points = 4.5,
     .why = "It must reap.",
     .hint = "See waitpid(2).",
     .play = fixture_play},
};

static const struct step fixture_step[2] = {
    {.name = "alpha",
     .source = "alpha.c",
     .points = 10,
     .intent = "the first",
     .cases = fixture_cases,
     .count = UNIT_COUNT(fixture_cases)},
    {.name = "beta",
     .source = "beta.c",
     .points = 10,
     .intent = "the second",
     .is_client = true,
     .cases = fixture_cases,
     .count = UNIT_COUNT(fixture_cases)},
};

static struct step_result fixture_steps[2];
static struct result fixture;

UNIT_HELPER void fixture_judge(size_t step, size_t row,
                               enum verdict_status status, const char *came)
{
    struct verdict *verdict = &fixture_steps[step].verdict[row];

    verdict->status = status;
    snprintf(verdict->came, sizeof(verdict->came), "%s", came);
}

/* Both steps chosen, done and passed. */
UNIT_HELPER int fixture_set_up(void **state)
{
    (void)state;
    memset(fixture_steps, 0, sizeof(fixture_steps));
    fixture = (struct result){.isolation = "plain",
                              .submission = "exercises",
                              .told_as = "exercises",
                              .step = fixture_steps,
                              .count = 2};
    for (size_t s = 0; s < 2; s++) {
        fixture_steps[s].step = &fixture_step[s];
        fixture_steps[s].chosen = fixture_steps[s].done = true;
        for (size_t i = 0; i < 4; i++)
            fixture_judge(s, i, VERDICT_PASS, "");
    }
    return 0;
}

#endif
