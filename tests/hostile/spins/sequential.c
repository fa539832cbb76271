/* spins - computes for ever instead of serving.
 *
 * most: 0
 * says: CPU time without any progress|spins
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
