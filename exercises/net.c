/* net.c - the toolbox; net.h explains it.
 *
 * Read: getaddrinfo(3), socket(2), connect(2), write(2)        for step 1
 *       bind(2), listen(2), socket(7), ipv6(7), read(2)        for step 2
 */
#include "net.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What failed last, and why. errno alone cannot tell: getaddrinfo() has
 * errors of its own. Set both where something fails: net_report() does the
 * rest. */
static const char *failed_call;
static const char *reason;

void net_report(const char *program)
{
    if (failed_call)
        fprintf(stderr, "%s: %s: %s\n", program, failed_call, reason);
}

/* TODO, step 1: look host and port up; connect to one address, to the next. */

int tcp_connect(const char *host, const char *port)
{
    (void)host;
    (void)port;
    errno = ENOSYS; /* TODO, step 1 */
    return -1;
}

int write_all(int fd, const void *data, size_t len_bytes)
{
    (void)fd;
    (void)data;
    (void)len_bytes;
    errno = ENOSYS; /* TODO, step 1 */
    return -1;
}

/* TODO, step 2: a socket that listens: made, its options set, bound. */

int tcp_listen(const char *port)
{
    (void)port;
    errno = ENOSYS; /* TODO, step 2 */
    return -1;
}

int echo(int fd)
{
    (void)fd;
    errno = ENOSYS; /* TODO, step 2 */
    return -1;
}
