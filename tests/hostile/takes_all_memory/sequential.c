/* takes_all_memory - writes to more memory than there is.
 *
 * only: namespaces
 * most: 0
 * says: MiB of memory|without progress|was killed|spins
 */
#include "net.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    for (;;) {
        char *more = malloc(16 << 20);

        if (more)
            memset(more, 1, 16 << 20);
    }
    return serve(argv);
}
