/* computes_in_turns - reports progress while it computes for ever.
 *
 * most: 0
 * says: more CPU time|spins
 */
#include "net.h"

int main(int argc, char **argv)
{
    int null = open("/dev/null", O_WRONLY);

    if (argc != 2)
        return 2;
    for (;;)
        write(null, "x", 1);
}
