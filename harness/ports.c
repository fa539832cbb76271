/* ports.c - who may use which ports, where several harnesses share a loopback.
 */
#define _GNU_SOURCE
#include "ports.h"

#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BLOCK 100
#define LAST  65000

static int claim = -1; /* the socket */
static unsigned claimed;

bool ports_claim(uint16_t port)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    unsigned block = port / BLOCK;

    if (claim >= 0 && block == claimed)
        return true;
    /* sun_path[0] stays 0: abstract. */
    int len = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1,
                       "faultline/ports/%u", block);
    socklen_t size =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    if (bind(fd, (struct sockaddr *)&name, size) < 0) {
        close(fd);
        return false;
    }
    if (claim >= 0)
        close(claim);
    claim = fd;
    claimed = block;
    return true;
}

uint16_t ports_next_block(uint16_t port)
{
    unsigned next = (port / BLOCK + 1u) * BLOCK;

    return next > LAST ? 1100 : (uint16_t)next;
}
