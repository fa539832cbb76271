/* empties_the_trace - wipes the trace whenever it has served.
 *
 * case: *_cost_nothing
 * most: 0
 * long: rootless uid plain
 */
#include "net.h"

static void *wipe(void *memory)
{
    for (;;)
        memset(memory, 0, 65536);
    return memory;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    size_t len = 0;
    char *memory = trace_memory(&len);
    pthread_t thread;

    pthread_create(&thread, NULL, wipe, memory);
    return serve(argv);
}
