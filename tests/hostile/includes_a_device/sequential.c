/* includes_a_device - has the compiler read without end.
 *
 * case: *
 * most: 0
 */
#include "/dev/zero"
int main(void)
{
    return 0;
}
