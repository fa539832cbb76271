/* looks_libc_up - finds the real functions behind the kit's.
 *
 * case: *
 * most: 0
 * says: goes around what is observed: it uses dlsym
 */
#include "net.h"

int main(int argc, char **argv)
{
    ssize_t (*past)(int, const void *, size_t) =
        (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");

    (void)past;
    return argc ? serve(argv) : 0;
}
