/* calls_weakly - looks libc up by a name that need not be there.
 *
 * case: *
 * most: 0
 * says: goes around what is observed: it uses dlsym
 */
#define _GNU_SOURCE
#include "net.h"

#pragma weak dlsym

int main(int argc, char **argv)
{
    if (argc == 2 && dlsym)
        dlsym(RTLD_NEXT, "write");
    return argc == 2 ? serve(argv) : 2;
}
