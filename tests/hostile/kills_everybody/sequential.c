/* kills_everybody - sends SIGKILL to whatever it can name.
 *
 * most: 1
 * status: any
 * walled: yes
 */
#include "net.h"

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    each_process(end);
    kill(-1, SIGKILL);
    return serve(argv);
}
