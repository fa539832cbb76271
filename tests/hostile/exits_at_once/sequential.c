/* exits_at_once - says that all is well, and ends.
 *
 * case: *
 * most: 0
 */
#include "net.h"

int main(void)
{
    puts("100/100 points\nFull marks.");
    exit(0);
}
