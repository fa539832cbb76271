/* writes_everywhere - leaves files where it can: outside its scratch it must
 * not.
 *
 * most: 1
 * least: 0.5
 * never: FOUND
 * status: 0
 * walled: yes
 */
#include "net.h"

static void leave(const char *folder)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/hostile-was-here", folder);
    close(open(path, O_WRONLY | O_CREAT, 0666));
    unlink("@CANARY@/secret");
}

/* The kit's library, and the program that all cases are forks of. */
static void change(const char *path)
{
    if (path && (open(path, O_WRONLY) >= 0 || unlink(path) == 0))
        say("FOUND it can be changed");
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    leave("@CANARY@");
    leave("@REPORT@");
    change(getenv("LD_PRELOAD"));
    change("/proc/self/exe");
    leave("/tmp");
    leave("/var/tmp");
    leave("/dev/shm");
    leave("/");
    return serve(argv);
}
