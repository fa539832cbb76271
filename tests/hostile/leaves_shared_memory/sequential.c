/* leaves_shared_memory - makes what outlives the processes that made it.
 *
 * most: 0.5
 * status: 0 1
 */
#include "net.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#define KEY 0x7057116e /* hostile.py looks for it */

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    shmget(KEY, 4096, IPC_CREAT | 0666);
    semget(KEY, 1, IPC_CREAT | 0666);
    msgget(KEY, IPC_CREAT | 0666);
    close(open("/dev/shm/hostile-was-here", O_WRONLY | O_CREAT, 0666));
    return serve(argv);
}
