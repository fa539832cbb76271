/* story.h - one case in order: who did what, when, and on which line.
 *
 * Made from the trace and from the play's own acts. It explains; no verdict
 * rests on it.
 */
#ifndef FAULTLINE_STORY_H
#define FAULTLINE_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct play;

struct story_row {
    uint64_t at_ns;
    int process, thread; /* 0: a peer, or the play itself */
    char who[24];        /* "process 2", "client 1", "play" */
    char act[120];       /* "write(conn 1, 10 bytes) = 3" */
    char where[96];      /* "forked.c:57"; "": not the submission's */
    bool injected;
    bool in_handler;
    bool blocked; /* it is still in the call */
};

struct story {
    struct story_row *row;
    size_t count;
    uint64_t lost; /* older calls that the trace has overwritten */
};

struct trace_record;

/* One call as a row. Returns false where it explains nothing. */
bool story_call(struct story_row *row, struct play *play,
                const struct trace_record *record);

/* That thread calls something, and not from a handler: a call of its own that
 * has not returned never will, a handler has jumped out of it. */
void story_leave(struct story *story, int process, int thread);

/* Takes the story of the case as it stands. Returns 0, or -1 with errno.
 * story_release() frees it. */
int story_take(struct story *story, struct play *play);
void story_release(struct story *story);

/* The last `count` rows, a line each: what led up to the verdict. Rows that
 * say the same one after the other are told once, as are two or three that come
 * in turn; "! " marks an injected failure. Returns `text`. */
char *story_tail(const struct story *story, size_t count, char *text,
                 size_t size);

/* The whole of it as a table of `width` columns, a column for each process,
 * thread and peer where they fit; `parting` is the sentence to end with. */
void story_print(FILE *out, const struct story *story, int width,
                 const char *parting);

/* The same as data. Returns 0, or -1 with errno. */
int story_json(FILE *out, const struct story *story, const char *parting);

#endif
