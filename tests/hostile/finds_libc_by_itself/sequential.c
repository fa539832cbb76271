/* finds_libc_by_itself - reads libc's table of names in its own memory, and
 * calls the real functions behind the kit's.
 *
 * case: *
 * most: 0
 * says: goes around libc
 */
#define _GNU_SOURCE
#include "net.h"
#include <elf.h>
#include <link.h>

static const char *wanted;

static int look_up(struct dl_phdr_info *info, size_t size, void *found)
{
    const ElfW(Dyn) *dynamic = NULL;
    const ElfW(Sym) *symbol = NULL;
    const char *names = NULL;

    (void)size;
    if (!strstr(info->dlpi_name, "/libc.so"))
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
            dynamic =
                (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
        if (dynamic->d_tag == DT_SYMTAB)
            symbol = (const void *)dynamic->d_un.d_ptr;
        if (dynamic->d_tag == DT_STRTAB)
            names = (const void *)dynamic->d_un.d_ptr;
    }
    for (; symbol && names && (const char *)symbol < names; symbol++)
        if (strcmp(names + symbol->st_name, wanted) == 0)
            *(ElfW(Addr) *)found = info->dlpi_addr + symbol->st_value;
    return 1;
}

static void *find(const char *name)
{
    ElfW(Addr) address = 0;

    wanted = name;
    dl_iterate_phdr(look_up, &address);
    return (void *)address;
}

int main(int argc, char **argv)
{
    ssize_t (*take)(int, void *, size_t) = find("read");
    ssize_t (*give)(int, const void *, size_t) = find("write");
    char bytes[4096];

    if (argc != 2)
        return 2;
    int listener = listen_on(argv[1]);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        ssize_t n;

        while ((n = take(fd, bytes, sizeof(bytes))) > 0)
            give(fd, bytes, (size_t)n);
        close(fd);
    }
}
