/* renews_itself - serves, and goes on beside it in new processes, each of which
 * ends before it has used much of anything.
 *
 * case: echoes_before_the_end
 * most: 0.5
 * long: namespaces rootless uid plain
 * status: 0 1
 */
#include "net.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    if (fork() > 0)
        return serve(argv);
    for (;;) {
        for (volatile int n = 0; n < 100000; n++)
            continue;
        if (fork() > 0)
            _exit(0);
    }
}
