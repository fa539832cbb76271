/* changes_modes - takes away the right to read what lies outside.
 *
 * most: 1
 * least: 0.5
 * status: 0
 * only: namespaces rootless uid
 */
#include "net.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    chmod("@CANARY@/secret", 0);
    return serve(argv);
}
