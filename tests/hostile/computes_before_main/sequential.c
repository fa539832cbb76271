/* computes_before_main - never comes to its main, nor to the kit.
 *
 * most: 0
 * says: does not come to its main\(\): it used more CPU time
 * only: namespaces uid plain
 * long: namespaces uid plain
 */
#include "net.h"

static void early(void)
{
    for (volatile unsigned n = 0;; n++)
        continue;
}

__attribute__((section(".preinit_array"),
               used)) static void (*first)(void) = early;

int main(int argc, char **argv)
{
    return argc ? serve(argv) : 0;
}
