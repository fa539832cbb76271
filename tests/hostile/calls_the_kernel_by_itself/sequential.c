/* calls_the_kernel_by_itself - has a system call instruction of its own.
 *
 * most: 0
 * says: system call around libc|SIGSYS
 */
#include "net.h"

#ifdef __x86_64__
static long write_past(long fd, const char *bytes, long n)
{
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(SYS_write), "D"(fd), "S"(bytes), "d"(n)
                     : "rcx", "r11", "memory");
    return result;
}
#else
#define write_past(fd, bytes, n) (raise(SIGSYS), -1)
#endif

int main(int argc, char **argv)
{
    char bytes[4096];
    int listener = listen_on(argv[1]);

    for (;;) {
        int fd = accept(listener, NULL, NULL);
        ssize_t n;

        while ((n = read(fd, bytes, sizeof(bytes))) > 0)
            write_past(fd, bytes, n);
        close(fd);
    }
    return argc;
}
