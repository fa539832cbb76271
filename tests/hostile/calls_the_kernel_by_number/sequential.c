/* calls_the_kernel_by_number - goes around libc, so that no call can fail.
 *
 * case: *
 * most: 0
 * says: goes around what is observed: it uses syscall
 */
#include "net.h"

int main(int argc, char **argv)
{
    char bytes[4096];
    int listener = listen_on(argv[1]);

    for (;;) {
        int fd = accept(listener, NULL, NULL);
        long n;

        while ((n = syscall(SYS_read, fd, bytes, sizeof(bytes))) > 0)
            syscall(SYS_write, fd, bytes, n);
        close(fd);
    }
    return argc;
}
