/* brings_its_own_headers - wants a header of another name, a Makefile and a dot
 * file to be used.
 *
 * case: *
 * most: 0
 * says: mine.h: No such file|mine.h. file not found
 */
#include "mine.h"

int main(void)
{
    return MINE;
}
