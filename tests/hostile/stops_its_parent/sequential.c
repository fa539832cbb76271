/* stops_its_parent - stops the process that starts it.
 *
 * case: *
 * most: 9
 * status: any
 */
#include "net.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    kill(getppid(), SIGSTOP);
    return serve(argv);
}
