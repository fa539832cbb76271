/* source.c - reading DWARF with libdw: elfutils/libdwfl.h. */
#define _GNU_SOURCE
#include "source.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct source {
    Dwfl *dwfl;
    Dwfl_Module *module;
};

static char *no_debuglink_path;
static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
    .section_address = dwfl_offline_section_address,
    .debuginfo_path = &no_debuglink_path,
};

struct source *source_open(const char *path)
{
    struct source *source = calloc(1, sizeof(*source));

    if (!source)
        return NULL;
    source->dwfl = dwfl_begin(&callbacks);
    if (source->dwfl) {
        dwfl_report_begin(source->dwfl);
        /* At base 0 an address is the one that the file says. */
        source->module =
            dwfl_report_elf(source->dwfl, "program", path, -1, 0, true);
        dwfl_report_end(source->dwfl, NULL, NULL);
    }
    if (source->module)
        return source;
    source_close(source);
    return NULL;
}

void source_close(struct source *source)
{
    if (!source)
        return;
    if (source->dwfl)
        dwfl_end(source->dwfl);
    free(source);
}

static void set_file(struct source_frame *frame, const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;

    snprintf(frame->file, sizeof(frame->file), "%s",
             slash  ? slash + 1
             : path ? path
                    : "");
}

static void set_function(struct source_frame *frame, const char *name)
{
    snprintf(frame->function, sizeof(frame->function), "%s", name ? name : "");
}

/* Where an inlined function was called: the place in the one around it. */
static void set_call_site(struct source_frame *frame, Dwarf_Die *inlined,
                          Dwarf_Die *unit)
{
    Dwarf_Attribute attribute;
    Dwarf_Word line = 0, file = 0;
    Dwarf_Files *files;
    size_t count;

    if (dwarf_attr(inlined, DW_AT_call_line, &attribute))
        dwarf_formudata(&attribute, &line);
    if (dwarf_attr(inlined, DW_AT_call_file, &attribute))
        dwarf_formudata(&attribute, &file);
    frame->line = (int)line;
    if (dwarf_getsrcfiles(unit, &files, &count) == 0 && file < count)
        set_file(frame, dwarf_filesrc(files, file, NULL, NULL));
}

/* The scopes around the address, innermost first, as the code is nested.
 * dwarf_getscopes() alone follows the source: around an inlined function it
 * sees the file, not the caller. Ends with free(). */
static int nested_scopes(Dwarf_Die *unit, Dwarf_Addr address,
                         Dwarf_Die **scopes)
{
    Dwarf_Die *lexical = NULL;
    int count = dwarf_getscopes(unit, address, &lexical);

    *scopes = NULL;
    if (count > 0)
        count = dwarf_getscopes_die(&lexical[0], scopes);
    free(lexical);
    return count;
}

/* Blocks, then inlined functions, then the function itself. frames[0] has its
 * line already. */
static size_t add_scopes(Dwarf_Die *unit, Dwarf_Addr address,
                         struct source_frame *frames, size_t most)
{
    Dwarf_Die *scopes;
    int count = nested_scopes(unit, address, &scopes);
    size_t n = 0;

    for (int i = 0; i < count && n < most; i++) {
        int tag = dwarf_tag(&scopes[i]);

        if (tag == DW_TAG_subprogram) {
            set_function(&frames[n++], dwarf_diename(&scopes[i]));
            break;
        }
        if (tag != DW_TAG_inlined_subroutine)
            continue;
        set_function(&frames[n++], dwarf_diename(&scopes[i]));
        if (n < most)
            set_call_site(&frames[n], &scopes[i], unit);
    }
    free(scopes);
    return n;
}

/* The compilation unit that has the address. By asking each: clang writes no
 * .debug_aranges, without which dwfl_module_addrdie() finds none. */
static Dwarf_Die *unit_of(struct source *source, Dwarf_Addr address,
                          Dwarf_Addr *bias)
{
    Dwarf_Die *unit = NULL;

    while ((unit = dwfl_module_nextcu(source->module, unit, bias)) &&
           dwarf_haspc(unit, address - *bias) <= 0)
        ;
    return unit;
}

size_t source_find(struct source *source, uint64_t return_address,
                   struct source_frame *frames, size_t most)
{
    Dwarf_Addr address = return_address - 1; /* in the call, not behind it */
    Dwarf_Addr bias;
    int number;

    memset(frames, 0, most * sizeof(*frames));
    if (!source || most == 0)
        return 0;
    Dwarf_Die *unit = unit_of(source, address, &bias);
    if (unit) {
        Dwarf_Line *line = dwarf_getsrc_die(unit, address - bias);
        size_t n;

        set_file(&frames[0], line ? dwarf_linesrc(line, NULL, NULL) : NULL);
        if (line && dwarf_lineno(line, &number) == 0)
            frames[0].line = number;
        n = add_scopes(unit, address - bias, frames, most);
        if (n > 0)
            return n;
    }
    set_function(&frames[0], dwfl_module_addrname(source->module, address));
    return frames[0].function[0] || frames[0].line ? 1 : 0;
}
