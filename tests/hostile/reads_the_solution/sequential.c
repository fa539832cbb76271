/* reads_the_solution - includes the solution by every path it can think of.
 *
 * case: *
 * most: 0
 * says: No such file|Permission denied|cannot open
 */
#include "@CANARY@/client.c"
int main(void)
{
    return 0;
}
