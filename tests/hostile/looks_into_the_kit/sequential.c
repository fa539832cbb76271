/* looks_into_the_kit - reads and writes the memory of other processes.
 *
 * most: 0
 * never: FOUND
 * walled: yes
 */
#include "net.h"
#include <sys/ptrace.h>

static long ptrace_me_not(pid_t pid)
{
    return ptrace(PTRACE_SEIZE, pid, 0, 0);
}

static void change(pid_t pid)
{
    char path[64], byte = 0;

    snprintf(path, sizeof(path), "/proc/%d/mem", pid);
    int fd = open(path, O_RDWR);
    if (fd >= 0)
        fprintf(stderr, "FOUND the memory of %d\n", pid);
    if (ptrace_me_not(pid) == 0)
        fprintf(stderr, "FOUND %d to trace\n", pid);
    (void)byte;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    each_process(change);
    abort();
    return serve(argv);
}
