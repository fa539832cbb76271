/* sandbox_net.c - a network of its own: a loopback that is up, and quick. */
#define _GNU_SOURCE
#include "ports.h"
#include "sandbox_internal.h"

#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* AI_ADDRCONFIG asks whether the machine has any address but the loopback's:
 * give it one of each family, from the documentation's ranges. */
static void add_addresses(int fd)
{
    struct ifreq request = {0};
    struct sockaddr_in *in = (struct sockaddr_in *)&request.ifr_addr;
    struct in6_ifreq request6 = {.ifr6_prefixlen = 128, .ifr6_ifindex = 1};
    int fd6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    strcpy(request.ifr_name, "lo:1");
    in->sin_family = AF_INET;
    inet_pton(AF_INET, "192.0.2.1", &in->sin_addr);
    ioctl(fd, SIOCSIFADDR, &request);
    if (fd6 < 0)
        return;
    inet_pton(AF_INET6, "2001:db8::1", &request6.ifr6_addr);
    ioctl(fd6, SIOCSIFADDR, &request6);
    close(fd6);
}

/* A route of the local table that asks for quick acknowledgements. A delayed
 * one leaves bytes "under way" for 40 ms, and rest cannot be proved before. */
struct route_request {
    struct nlmsghdr head;
    struct rtmsg route;
    char attributes[128];
};

static void add_attribute(struct route_request *request, unsigned short type,
                          const void *data, size_t len)
{
    struct rtattr *attribute =
        (struct rtattr *)((char *)request +
                          NLMSG_ALIGN(request->head.nlmsg_len));

    attribute->rta_type = type;
    attribute->rta_len = (unsigned short)RTA_LENGTH(len);
    memcpy(RTA_DATA(attribute), data, len);
    request->head.nlmsg_len =
        NLMSG_ALIGN(request->head.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
}

static void acknowledge_quickly(int family, const char *net,
                                unsigned char prefix)
{
    struct {
        struct rtattr head;
        uint32_t value;
    } quick = {{sizeof(quick), RTAX_QUICKACK}, 1};
    struct route_request request = {
        .head = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
                 .nlmsg_type = RTM_NEWROUTE,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE},
        .route = {.rtm_family = (unsigned char)family,
                  .rtm_dst_len = prefix,
                  .rtm_table = RT_TABLE_LOCAL,
                  .rtm_protocol = RTPROT_KERNEL,
                  .rtm_scope = RT_SCOPE_HOST,
                  .rtm_type = RTN_LOCAL}};
    unsigned char address[16];
    const int loopback = 1; /* its interface's number */
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (fd < 0)
        return;
    inet_pton(family, net, address);
    add_attribute(&request, RTA_DST, address, family == AF_INET ? 4 : 16);
    add_attribute(&request, RTA_OIF, &loopback, sizeof(loopback));
    add_attribute(&request, RTA_METRICS, &quick, sizeof(quick));
    send(fd, &request, request.head.nlmsg_len, 0); /* only slower without */
    close(fd);
}

int sandbox_raise_loopback(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    int result = ioctl(fd, SIOCSIFFLAGS, &request);
    if (result == 0) {
        add_addresses(fd);
        acknowledge_quickly(AF_INET, "127.0.0.0", 8);
        acknowledge_quickly(AF_INET, "127.0.0.1", 32);
        acknowledge_quickly(AF_INET6, "::1", 128);
    }
    close(fd);
    return result;
}

static bool is_free(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    bool free = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return free;
}

static void ephemeral_range(unsigned *low, unsigned *high)
{
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");

    *low = 32768;
    *high = 60999;
    if (file) {
        if (fscanf(file, "%u %u", low, high) != 2)
            *low = 32768;
        fclose(file);
    }
}

uint16_t sandbox_port(uint16_t *next)
{
    unsigned low, high;

    ephemeral_range(&low, &high);
    for (unsigned tries = 0; tries < 65536; tries++) {
        unsigned port = *next;

        if (!ports_claim((uint16_t)port)) {
            *next = ports_next_block((uint16_t)port);
            continue;
        }
        *next = port >= 65000 ? 1025 : (uint16_t)(port + 1);
        if ((port < low || port > high) && is_free((uint16_t)port))
            return (uint16_t)port;
    }
    return 0;
}
