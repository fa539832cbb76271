/* symbols.h - the names that an ELF file has, and those that it lacks: elf(5).
 *
 * Must not know: what the names are for.
 */
#ifndef FAULTLINE_SYMBOLS_H
#define FAULTLINE_SYMBOLS_H

#include <stdbool.h>

enum symbols_kind {
    SYMBOLS_DEFINED, /* for others to use */
    SYMBOLS_NEEDED,  /* of others; no link succeeds without them */
    SYMBOLS_USED,    /* of others, be they there or not */
};

/* Calls back with each name of that kind, of an object file or of a program
 * that is linked dynamically. The name lives as long as the call. Returns 0,
 * or -1 where the file cannot be read as ELF. */
int symbols_each(const char *path, enum symbols_kind kind,
                 void (*call)(const char *name, void *arg), void *arg);

/* Would a linker take `library`, an object file in an archive, for what
 * `object` lacks? No, too, where one of them cannot be read. */
bool symbols_serve(const char *library, const char *object);

#endif
