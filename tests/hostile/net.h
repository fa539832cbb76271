/* net.h - what the hostile submissions share: an echo server that is right,
 * so that only the attack is judged. A folder may bring a net.h of its own. */
#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static inline int listen_on(const char *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(port))};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 64) < 0)
        exit(1);
    return fd;
}

static inline void echo(int fd)
{
    char bytes[4096];
    ssize_t n;

    while ((n = read(fd, bytes, sizeof(bytes))) > 0)
        if (write(fd, bytes, (size_t)n) != n) /* wrong: may be short */
            break;
    close(fd);
}

static inline int serve(char **argv)
{
    int listener = listen_on(argv[1]);

    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd >= 0)
            echo(fd);
    }
}

/* Ends in words that the report shows, if it shows anything. */
static inline void say(const char *what)
{
    fprintf(stderr, "%s\n", what);
}

/* Each process but this one and its parents is a victim. */
static inline void each_process(void (*attack)(pid_t))
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;

    while (proc && (entry = readdir(proc)))
        if (atoi(entry->d_name) > 0 && atoi(entry->d_name) != getpid())
            attack(atoi(entry->d_name));
    if (proc)
        closedir(proc);
}

/* The memory that is shared with the kit. */
static inline char *trace_memory(size_t *len)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    unsigned long from, to;
    char line[512], *found = NULL;

    while (!found && maps && fgets(line, sizeof(line), maps))
        if (strstr(line, "faultline-trace") &&
            sscanf(line, "%lx-%lx", &from, &to) == 2) {
            found = (char *)from;
            *len = to - from;
        }
    if (maps)
        fclose(maps);
    return found;
}
