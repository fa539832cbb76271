/* schedule.h - what the clients of a scene do, one act after the other, as
 * text that can be typed:
 *
 *     1+       client 1 connects; clients connect in the order of numbers
 *     1:60     client 1 sends 60 bytes
 *     1.       client 1 half-closes
 *     1!       client 1 resets its connection
 *
 * Acts are joined by ','. Each begins when the program has come to rest after
 * the one before it, so that a schedule means the same in every run.
 */
#ifndef FAULTLINE_SCHEDULE_H
#define FAULTLINE_SCHEDULE_H

#include "play.h"

#define SCHEDULE_ACTS    48
#define SCHEDULE_CLIENTS 8
#define SCHEDULE_BYTES   65536u
#define SCHEDULE_TEXT    512 /* holds any schedule */

enum schedule_what {
    ACT_CONNECT = '+',
    ACT_SEND = ':',
    ACT_HALF_CLOSE = '.',
    ACT_RESET = '!',
};

struct schedule_act {
    unsigned client; /* from 1 */
    enum schedule_what what;
    uint32_t bytes; /* to send */
};

struct schedule {
    struct schedule_act act[SCHEDULE_ACTS];
    size_t count;
};

/* Reads a schedule. Returns 0, or -1 with *error set to a static sentence
 * that says what is wrong with the text. */
int schedule_parse(struct schedule *schedule, const char *text,
                   const char **error);

/* Could the clients do so? Returns NULL, or a static sentence that says why
 * not. */
const char *schedule_trouble(const struct schedule *schedule);

/* Writes its text: at most `size` bytes with the final NUL. Returns `text`. */
char *schedule_format(const struct schedule *schedule, char *text, size_t size);

/* What has become of the clients. */
struct schedule_client {
    struct peer *peer;
    bool half_closed;
    bool reset; /* it left: nothing is owed to it */
};

/* Plays the acts of a sound schedule. Returns how many clients there were. */
size_t schedule_play(const struct schedule *schedule, struct play *play,
                     struct schedule_client clients[SCHEDULE_CLIENTS]);

#endif
