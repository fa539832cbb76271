/* includes_itself - has the compiler read the same file again and again.
 *
 * case: *
 * most: 0
 * says: includes itself
 */
#include __FILE__
int main(void)
{
    return 0;
}
