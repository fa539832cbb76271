/* source.h - from a return address to the student's function, file and line.
 *
 * By the program's DWARF, through elfutils' libdw. Asked only when there is a
 * failure to explain. Must not know: calls, cases, verdicts.
 */
#ifndef FAULTLINE_SOURCE_H
#define FAULTLINE_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#define SOURCE_FRAMES 8

struct source_frame {
    char function[64]; /* "": unknown */
    char file[64];     /* without its folder; "": no debug information */
    int line;          /* 0: unknown */
};

/* Opens the program's file. NULL where it is gone or no ELF file: then
 * nothing is known of any address. Ends with source_close(). */
struct source *source_open(const char *path);
void source_close(struct source *source);

/* The frames at a return address, as it is in the file (the run's address
 * less the load base): inlined functions first, then the one they were
 * inlined into. Returns how many, at most `most`; 0: nothing is known. NULL
 * for `source` is fine. */
size_t source_find(struct source *source, uint64_t return_address,
                   struct source_frame *frames, size_t most);

#endif
