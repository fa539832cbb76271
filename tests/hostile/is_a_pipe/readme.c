/* is_a_pipe - is a pipe that nobody writes into. (The runner makes it.)
 *
 * case: *
 * most: 0
 * pipe: sequential.c
 * says: not a regular file
 */
int main(void)
{
    return 0;
}
