/* findings.h - what valgrind found, in the student's terms.
 *
 * Reads valgrind's XML (--xml=yes), keeps what is the submission's own, says
 * it in plain words, and puts reports of one fault together.
 *
 * Must not know: how valgrind was run, cases, points.
 */
#ifndef FAULTLINE_FINDINGS_H
#define FAULTLINE_FINDINGS_H

#include "verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FINDING_FRAMES 4

/* A line of the submission. */
struct finding_frame {
    char function[64];
    char file[64];
    int line; /* 0: no debug information */
};

struct finding {
    enum obligation obligation; /* memory, leak, descriptors or race */
    char words[192];            /* "writes 1 byte behind the end of ..." */
    const char *hint;           /* NULL: the row's will do. A literal */
    struct finding_frame at[FINDING_FRAMES]; /* innermost first */
    size_t frames;
    char other_words[64]; /* "allocated in", "against the write in"; "" */
    struct finding_frame other;
    unsigned reports;
    bool grows;      /* a fault only where a process loses several */
    uint64_t blocks; /* lost; of the process that lost the most */
    uint64_t bytes;
};

struct findings {
    struct finding *finding; /* in the order of their first reports */
    size_t count, room;
};

/* Adds one that was found by other means. Returns 0, or -1 with errno. */
int findings_add(struct findings *findings, const struct finding *finding);

/* Adds what one process's file reports. `program` is the path of the
 * submission's binary: a report without a frame in it is no fault of the
 * submission. Returns 1 where the report is whole, 0 where it breaks off (what
 * stands before is added), -1 with errno where it cannot be read or is no
 * XML. */
int findings_read(struct findings *findings, const char *path,
                  const char *program);
void findings_release(struct findings *findings);

/* The first finding that is a fault against that rule; NULL: none. *more: how
 * many others there are. */
const struct finding *findings_first(const struct findings *findings,
                                     enum obligation obligation,
                                     unsigned *more);

#endif
