/* takes_in_the_solution - makes the assembler read a file of the machine into
 * the binary.
 *
 * case: *
 * most: 0
 * says: No such file|Permission denied|file not found|Could not find
 */
__asm__(".section .rodata\n.incbin \"@CANARY@/client.c\"\n.text\n");
int main(void)
{
    return 0;
}
