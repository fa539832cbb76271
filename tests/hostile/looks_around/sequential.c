/* looks_around - tries to read the solution, a secret file and the environment.
 *
 * most: 0
 * never: FOUND
 * walled: yes
 */
#include "net.h"

static void look(const char *path)
{
    char bytes[64] = "";
    int fd = open(path, O_RDONLY);

    if (fd >= 0 && read(fd, bytes, 63) > 0)
        fprintf(stderr, "FOUND %s: %s\n", path, bytes);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    look("@CANARY@/client.c");
    look("@CANARY@/secret");
    look("/etc/shadow");
    for (char **one = environ; *one; one++)
        if (strstr(*one, "SECRET"))
            fprintf(stderr, "FOUND %s\n", *one);
    abort();
    return serve(argv);
}
