/* outlives_its_run - forks twice, leads a session, ignores every signal and
 * stops itself.
 *
 * most: 1
 * status: any
 */
#include "net.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    if (fork() == 0) {
        setsid();
        for (int n = 1; n < NSIG; n++)
            signal(n, SIG_IGN);
        if (fork() == 0) {
            raise(SIGSTOP);
            for (;;)
                pause();
        }
        for (;;)
            pause();
    }
    return serve(argv);
}
