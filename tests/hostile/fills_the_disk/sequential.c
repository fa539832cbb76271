/* fills_the_disk - writes file after file, none of which is too large.
 *
 * most: 0
 * says: more than 192 MiB in files
 */
#include "net.h"

int main(int argc, char **argv)
{
    static char block[1 << 20];

    if (argc != 2)
        return 2;
    for (int file = 0;; file++) {
        char name[32];

        snprintf(name, sizeof(name), "fill%d", file);
        int fd = open(name, O_WRONLY | O_CREAT, 0600);
        for (int n = 0; n < 32; n++)
            write(fd, block, sizeof(block));
        close(fd);
    }
}
