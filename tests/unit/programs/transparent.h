/* transparent.h - says what a program sees of its calls where none of them is
 * made to fail: results, errno, dispositions, streams. Nothing that it prints
 * differs between two runs. */
#ifndef TRANSPARENT_H
#define TRANSPARENT_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

static char buf[4096];

static void told(const char *what, long result, int error)
{
    printf("%s = %ld", what, result);
    if (result == -1)
        printf(" %s", error ? strerrorname_np(error) : "-");
    printf("\n");
}

#define TELL(call)                                                             \
    do {                                                                       \
        errno = 0;                                                             \
        long told_result = (long)(call);                                       \
        told(#call, told_result, errno);                                       \
    } while (0)

/* The same for a call whose success is a descriptor or a process. */
#define TELL_OK(call)                                                          \
    do {                                                                       \
        errno = 0;                                                             \
        long told_result = (long)(call);                                       \
        told(#call, told_result < 0 ? -1 : 0, errno);                          \
    } while (0)

struct act {
    const char *name;
    void (*act)(void);
};
#define ACT(name)                                                              \
    {                                                                          \
#name, name                                                            \
    }

/* The act that the argument names. Returns the exit status. */
static int carry_out(const struct act *acts, size_t count, int argc,
                     char **argv)
{
    setvbuf(stdout, NULL, _IOFBF, 65536);
    for (size_t i = 0; i < count; i++)
        if (argc == 2 && strcmp(argv[1], acts[i].name) == 0) {
            acts[i].act();
            return 0;
        }
    return 97;
}

#endif
