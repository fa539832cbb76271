/* ends_in_a_constructor - ends before its main, with success.
 *
 * case: *
 * most: 0
 */
#include "net.h"

__attribute__((constructor)) static void early(void)
{
    _exit(0);
}

int main(int argc, char **argv)
{
    return argc ? serve(argv) : 0;
}
