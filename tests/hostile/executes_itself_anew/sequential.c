/* executes_itself_anew - starts over without the kit's library.
 *
 * most: 0
 */
#include "net.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    if (getenv("LD_PRELOAD")) {
        unsetenv("LD_PRELOAD");
        execv("/proc/self/exe", argv);
    }
    return serve(argv);
}
