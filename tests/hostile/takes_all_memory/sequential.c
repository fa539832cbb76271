/* takes_all_memory - takes more memory than there is, and moves a byte between,
 * so as not to look as if it spun.
 *
 * most: 0
 * says: more than [0-9]+ MiB of memory
 * long: rootless uid plain
 */
#include "net.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    int null = open("/dev/null", O_WRONLY);
    while (write(null, "x", 1) == 1)
        mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    return serve(argv);
}
