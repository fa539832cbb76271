/* opens_everything - opens descriptors until there are none left for a client.
 *
 * most: 0
 * says: all of its 1024 descriptors are in use
 */
#include "net.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    int listener = listen_on(argv[1]);
    while (open("/dev/null", O_RDONLY) >= 0)
        continue;
    while (accept(listener, NULL, NULL) < 0)
        pause();
}
