/* bursts_when_a_call_fails - is right until a call fails, and then forks for
 * ever.
 *
 * case: survives_every_connection_failure
 * most: 0
 * long: namespaces rootless uid plain
 */
#include "net.h"

int main(int argc, char **argv)
{
    char bytes[4096];

    if (argc != 2)
        return 2;
    int listener = listen_on(argv[1]);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        ssize_t n;

        while ((n = read(fd, bytes, sizeof(bytes))) > 0)
            if (write(fd, bytes, (size_t)n) != n)
                break;
        if (fd < 0 || n < 0)
            for (;;)
                fork();
        close(fd);
    }
}
