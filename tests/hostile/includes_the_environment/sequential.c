/* includes_the_environment - has the compiler print what it was started with.
 *
 * case: *
 * most: 0
 * says: does not compile|error
 */
#include "/proc/1/environ"
#include "/proc/self/cmdline"
#include "/proc/self/environ"
int main(void)
{
    return 0;
}
