/* prints_without_end - floods stdout and stderr.
 *
 * most: 0
 * says: printed more than 64 MiB
 */
#include "net.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    static char line[65536];

    memset(line, 'x', sizeof(line));
    for (;;) {
        write(1, line, sizeof(line));
        write(2, line, sizeof(line));
    }
    return serve(argv);
}
