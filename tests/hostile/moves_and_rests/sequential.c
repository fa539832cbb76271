/* moves_and_rests - moves a byte that nobody gets, and rests so long that its
 * calls are few: no clock may be all that ends it.
 *
 * only: namespaces uid plain
 * long: namespaces uid plain
 * most: 0
 * says: times out|time-out|waits
 */
#include "net.h"

int main(int argc, char **argv)
{
    int null = open("/dev/null", O_WRONLY);

    if (argc != 2)
        return 2;
    for (;;) {
        write(null, "x", 1);
        usleep(50000);
    }
}
