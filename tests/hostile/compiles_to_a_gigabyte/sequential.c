/* compiles_to_a_gigabyte - is small as a source, and large as a binary.
 *
 * case: *
 * most: 0
 * says: compiles to|it takes the compiler
 */
char large[1 << 30] = {1};

int main(void)
{
    return large[1];
}
