/* forges_the_plan - empties the plan of failures, so that none is made, and
 * says that they were.
 *
 * case: *_cost_nothing
 * most: 0
 */
#include "net.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    size_t len = 0;
    char *memory = trace_memory(&len);

    for (size_t i = 0; memory && i < 4096; i++)
        memory[i] = i < 8 ? memory[i] : 0;
    if (memory)
        memset(memory + 4, 0, 4);
    return serve(argv);
}
