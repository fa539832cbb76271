/* trickles - moves a byte now and then that nobody gets, and rests in between:
 * it neither spins nor waits.
 *
 * most: 0
 * only: namespaces uid plain
 * long: namespaces uid plain
 * says: without any progress
 */
#include "net.h"

int main(int argc, char **argv)
{
    int null = open("/dev/null", O_WRONLY);

    if (argc != 2)
        return 2;
    for (;;) {
        write(null, "x", 1);
        usleep(100);
    }
}
