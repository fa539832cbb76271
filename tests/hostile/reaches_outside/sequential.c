/* reaches_outside - connects to the world. With namespaces there is none.
 *
 * most: 0
 * never: FOUND
 * only: namespaces rootless
 */
#include "net.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    struct sockaddr_in at = {
        .sin_family = AF_INET,
        .sin_port = htons(@PORT @)
    };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
        say("FOUND the machine's own network");
    abort();
    return serve(argv);
}
