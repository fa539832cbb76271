/* hides_what_it_writes - deletes its files while it fills them, and locks the
 * folder.
 *
 * most: 0
 * says: in files|without any progress
 */
#include "net.h"

int main(int argc, char **argv)
{
    static char block[1 << 20];

    if (argc != 2)
        return 2;
    mkdir("locked", 0700);
    for (int file = 0;; file++) {
        int fd = open("locked/file", O_RDWR | O_CREAT | O_EXCL, 0600);

        unlink("locked/file");
        chmod("locked", file % 2 ? 0700 : 0300);
        for (int n = 0; n < 32; n++)
            write(fd, block, sizeof(block));
    }
}
