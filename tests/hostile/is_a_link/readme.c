/* is_a_link - is a symbolic link to the solution. (The runner makes it.)
 *
 * case: *
 * most: 0
 * link: sequential.c
 * says: symbolic link
 */
int main(void)
{
    return 0;
}
