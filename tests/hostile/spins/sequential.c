/* spins - computes for ever instead of serving.
 *
 * only: namespaces
 * most: 0
 */
#include "net.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    for (volatile unsigned n = 0;; n++)
        continue;
    return serve(argv);
}
