/* forks_without_end - forks as fast as it can, in sessions of their own.
 *
 * most: 0
 * says: more than 600 processes and threads at once
 */
#include "net.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    for (;;)
        if (fork() == 0)
            setsid();
    return serve(argv);
}
