/* sandbox_names.c - of the debug information of libc and its loader nothing
 * but the names. Valgrind cannot do without these; but it reads at each start
 * the rest, too, for lines of libc that no report of ours shows, and that is
 * two fifths of the time that its start takes. */
#define _GNU_SOURCE
#include "sandbox_internal.h"

#include <link.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

/* "93ac61...": ld(1), --build-id. */
static bool read_build_id(const struct dl_phdr_info *object, char *id,
                          size_t size)
{
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        const char *at = (const char *)object->dlpi_addr + segment->p_vaddr;
        const ElfW(Nhdr) *note = (const void *)at;

        if (segment->p_type != PT_NOTE || note->n_type != NT_GNU_BUILD_ID ||
            note->n_namesz != sizeof("GNU") || 2 * note->n_descsz >= size)
            continue;
        at += sizeof(*note) + sizeof("GNU");
        for (unsigned n = 0; n < note->n_descsz; n++)
            sprintf(id + 2 * n, "%02x", (unsigned char)at[n]);
        return true;
    }
    return false;
}

static int strip(const char *from, const char *to)
{
    char *const argv[] = {(char *)"strip", (char *)"--strip-debug",
                          (char *)"-o",    (char *)to,
                          (char *)from,    NULL};
    pid_t pid;

    if (sandbox_lock_kit(false) < 0)
        return -1;
    int error = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
    int status = error ? -1 : sandbox_await(pid);
    return sandbox_lock_kit(true) < 0 ? -1 : status;
}

static int keep_names(struct dl_phdr_info *object, size_t size, void *unused)
{
    const char *name = strrchr(object->dlpi_name, '/');
    char id[128], whole[256], names[256];

    (void)size;
    (void)unused;
    if (!name ||
        (strncmp(name, "/libc.", 6) != 0 && strncmp(name, "/ld-", 4) != 0) ||
        !read_build_id(object, id, sizeof(id)))
        return 0;
    snprintf(whole, sizeof(whole), "/usr/lib/debug/.build-id/%.2s/%s.debug", id,
             id + 2);
    snprintf(names, sizeof(names), "%.100s/%s", sandbox.kit, id);
    if (access(whole, R_OK) == 0 && strip(whole, names) == 0)
        mount(names, whole, NULL, MS_BIND, NULL);
    return 0;
}

void sandbox_keep_names(void)
{
    static bool done;

    if (sandbox.active && sandbox.kind == SANDBOX_NAMESPACES && !done)
        dl_iterate_phdr(keep_names, NULL);
    done = true;
}
