/* fills_the_trace_with_noise - writes the same byte over all that it shares
 * with the kit.
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

    if (memory)
        memset(memory, 0xff, len);
    return serve(argv);
}
