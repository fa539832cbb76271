/* fills_the_scratch - writes files until there is no room: a file has a limit,
 * and so has the folder.
 *
 * most: 0
 * says: SIGXFSZ: it wrote a file of more than 64 MiB
 */
#include "net.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    static char block[1 << 20];
    char name[32];

    for (int file = 0; file < 3; file++) {
        snprintf(name, sizeof(name), "fill%d", file);
        int fd = open(name, O_WRONLY | O_CREAT, 0600);
        while (write(fd, block, sizeof(block)) > 0)
            continue;
    }
    return serve(argv);
}
