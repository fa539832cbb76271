/* symbols.c - reading symbol tables with libelf: elfutils' gelf.h. */
#include "symbols.h"

#include <fcntl.h>
#include <gelf.h>
#include <string.h>
#include <unistd.h>

static bool is_of_kind(const GElf_Sym *symbol, enum symbols_kind kind)
{
    bool defined = symbol->st_shndx != SHN_UNDEF;
    unsigned binding = GELF_ST_BIND(symbol->st_info);

    if (binding == STB_LOCAL || defined != (kind == SYMBOLS_DEFINED))
        return false;
    return kind != SYMBOLS_NEEDED || binding != STB_WEAK;
}

static void each_of_table(Elf *elf, Elf_Scn *section, const GElf_Shdr *head,
                          enum symbols_kind kind,
                          void (*call)(const char *name, void *arg), void *arg)
{
    Elf_Data *data = elf_getdata(section, NULL);
    GElf_Sym symbol;

    for (int i = 1; data && gelf_getsym(data, i, &symbol); i++) {
        const char *name = elf_strptr(elf, head->sh_link, symbol.st_name);

        if (name && *name && is_of_kind(&symbol, kind))
            call(name, arg);
    }
}

/* What the loader sees of a program; all that an object file has. */
static int each_of_file(Elf *elf, enum symbols_kind kind,
                        void (*call)(const char *name, void *arg), void *arg)
{
    Elf_Scn *section = NULL;
    GElf_Ehdr file;
    GElf_Shdr head;

    if (!gelf_getehdr(elf, &file))
        return -1;
    while ((section = elf_nextscn(elf, section)))
        if (gelf_getshdr(section, &head) &&
            head.sh_type == (file.e_type == ET_REL ? SHT_SYMTAB : SHT_DYNSYM))
            each_of_table(elf, section, &head, kind, call, arg);
    return 0;
}

int symbols_each(const char *path, enum symbols_kind kind,
                 void (*call)(const char *name, void *arg), void *arg)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), result = -1;
    Elf *elf = NULL;

    if (fd >= 0 && elf_version(EV_CURRENT) != EV_NONE)
        elf = elf_begin(fd, ELF_C_READ, NULL);
    if (elf)
        result = each_of_file(elf, kind, call, arg);
    elf_end(elf);
    if (fd >= 0)
        close(fd);
    return result;
}

struct search {
    const char *library;
    const char *name;
    bool found;
};

static void compare(const char *name, void *arg)
{
    struct search *search = arg;

    search->found |= strcmp(name, search->name) == 0;
}

static void look_for(const char *name, void *arg)
{
    struct search *search = arg;

    search->name = name;
    if (!search->found)
        symbols_each(search->library, SYMBOLS_DEFINED, compare, search);
}

bool symbols_serve(const char *library, const char *object)
{
    struct search search = {.library = library};

    return symbols_each(object, SYMBOLS_NEEDED, look_for, &search) == 0 &&
           search.found;
}
