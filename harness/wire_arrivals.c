/* wire_arrivals.c - what has come to a peer, by the kernel's own tcp_info: that
 * of libc's <netinet/tcp.h>, which cannot be had beside it, is too short. */
#include "wire.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

struct wire_arrivals wire_arrivals(const struct peer *peer)
{
    struct wire_arrivals arrivals = {0};
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);

    if (getsockopt(peer->in, IPPROTO_TCP, TCP_INFO, &info, &len) == 0)
        arrivals.segments = info.tcpi_segs_in;
    ioctl(peer->in, FIONREAD, &arrivals.bytes);
    return arrivals;
}
