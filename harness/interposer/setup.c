/* setup.c - wakes the library up in the program under test, and in no other
 * that is executed on the way (a shell, env, valgrind's wrapper). */
#include "interposer.h"
#include "under_valgrind.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <syslog.h>

int fork_server_control = -1;

void real_bind(void)
{
#define BIND_REAL(name)                                                        \
    real.name = (__typeof__(real.name))dlsym(RTLD_NEXT, #name);
    REALS(BIND_REAL)
#undef BIND_REAL
}

/* The program's own code: the first object of the list is the program. */
static int note_text(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct trace *t = arg;

    (void)size;
    t->load_base = info->dlpi_addr;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];

        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X))
            continue;
        t->text_start = info->dlpi_addr + segment->p_vaddr;
        t->text_end = t->text_start + segment->p_memsz;
    }
    return 1;
}

void setup_note_text(void)
{
    dl_iterate_phdr(note_text, trace);
}

static bool is_program_under_test(const char *path)
{
    char self_path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self_path, sizeof(self_path) - 1);

    if (len < 0)
        return false;
    self_path[len] = '\0';
    return strcmp(self_path, path) == 0;
}

/* FAULTLINE=CONTROL:TRACE:PATH names the descriptor of the fork server's
 * socket (or -1), that of the trace, and the program to wake up in. */
__attribute__((constructor)) static void setup(void)
{
    const char *plan = getenv("FAULTLINE");
    int control, trace_fd, at = 0;

    real_bind();
    if (!plan || sscanf(plan, "%d:%d:%n", &control, &trace_fd, &at) != 2)
        return;
    if (!is_program_under_test(plan + at))
        return;
    /* Valgrind looks for what points to the heap in all that may be read and
     * written. The trace tells of pointers, and is large; where valgrind runs,
     * what may be written may be read. */
    int readable = RUNNING_ON_VALGRIND ? 0 : PROT_READ;
    struct trace *shared = mmap(NULL, sizeof(*shared), readable | PROT_WRITE,
                                MAP_SHARED, trace_fd, 0);
    real.close(trace_fd);
    if (shared == MAP_FAILED || shared->size != sizeof(*shared))
        return;
    ruling_setup(getenv("FAULTLINE_CONTROL"));
    fork_server_control = control;
    unsetenv("FAULTLINE");
    trace = shared;
    if (control >= 0)
        return;
    setup_note_text();
    atomic_fetch_add(&trace->processes, 1);
    self_is_process(1);
}
