/* format.h - what CI services and graders read: one file a format, each made
 * from report.json.
 *
 * A format is a function and an entry that FORMAT() registers; one more is a
 * new file and no edited one.
 */
#ifndef FAULTLINE_FORMAT_H
#define FAULTLINE_FORMAT_H

#include "view.h"

#include <stdio.h>

struct format {
    const char *name; /* as FORMATS= says it */
    const char *file; /* in the report folder */
    /* Also gets the cases that the instructor hides: its reader hides them. */
    bool complete;
    /* Says points that somebody publishes: is not written where a case could
     * not be graded, since the machine's trouble costs nobody points. */
    bool only_graded;
    /* Returns 0, or -1 without memory. */
    int (*write)(FILE *out, const struct view *view);
};

#define FORMAT(id)                                                             \
    static const struct format *const format_##id##_entry                      \
        __attribute__((used, section("faultline_formats"))) = &format_##id

extern const struct format *const __start_faultline_formats[];
extern const struct format *const __stop_faultline_formats[];
#define FORMATS_EACH(at)                                                       \
    const struct format *const *at = __start_faultline_formats;                \
    at != __stop_faultline_formats;                                            \
    at++

/* Writes the formats that `names` (by blanks or commas; "": all; "none") asks
 * for into the folder, each beside its place and then renamed; a file that an
 * earlier run left of another format is removed. Returns 0, or -1 with errno
 * and the path that could not be written in `trouble`. */
int formats_write(const char *folder, const json_t *report, const char *names,
                  char *trouble, size_t size);

/* The first name in `names` that is no format, its length in *len; NULL: all
 * are. */
const char *formats_unknown(const char *names, size_t *len);
void formats_list(FILE *out);

/* Writes a file beside its place, then renames it: what is read is whole.
 * Returns 0, or -1 with errno; the file is then as it was. */
int format_put(const char *path, const char *text, size_t size);

/* Whole points as integers: half of the readers of reports insist. */
json_t *format_points(double points);

/* Dumps the JSON document, by `flags` of jansson, with a newline behind it,
 * and releases it. NULL is no memory. Returns 0 or -1. */
int format_json(FILE *out, json_t *document, size_t flags);

#endif
