/* computes_before_main - never comes to its main, nor to the kit.
 *
 * only: namespaces
 * most: 0
 * long: yes
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
