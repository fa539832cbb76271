/* behaves_when_watched - is right where its parent is the kit's, or valgrind is
 * near, and wrong else.
 *
 * case: echoes_a_line
 * most: 0
 */
#include "net.h"

int main(int argc, char **argv)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    int watched = 0;

    while (maps && fgets(line, sizeof(line), maps))
        watched |= strstr(line, "valgrind") || strstr(line, "vgpreload");
    if (!watched && argc == 2)
        abort();
    return serve(argv);
}
