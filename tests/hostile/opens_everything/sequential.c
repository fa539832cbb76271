/* opens_everything - opens descriptors until there are none, then serves.
 *
 * most: 0
 */
#include "net.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    while (open("/dev/null", O_RDONLY) >= 0)
        continue;
    return serve(argv);
}
