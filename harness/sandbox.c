/* sandbox.c - namespaces(7), or what can be had without them. */
#define _GNU_SOURCE
#include "sandbox.h"

#include "census.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define OWN                                                                    \
    (CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS)

const char *sandbox_name(enum sandbox_kind kind)
{
    return kind == SANDBOX_NAMESPACES ? "namespaces" : "plain";
}

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return -1;
    ssize_t n = write(fd, text, strlen(text));
    close(fd);
    return n < 0 ? -1 : 0;
}

/* user_namespaces(7): an unprivileged user maps itself, and only itself. */
static int map_ids(uid_t uid, gid_t gid)
{
    char map[64];

    write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof(map), "%u %u 1", uid, uid);
    if (write_file("/proc/self/uid_map", map) < 0)
        return -1;
    snprintf(map, sizeof(map), "%u %u 1", gid, gid);
    return write_file("/proc/self/gid_map", map);
}

static int unshare_all(void)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();

    if (unshare(OWN) == 0)
        return 0;
    if (unshare(CLONE_NEWUSER | OWN) < 0)
        return -1;
    return map_ids(uid, gid);
}

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

static int raise_loopback(void)
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

static int own_proc(void)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -1;
    return mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
                 NULL);
}

static int status_of(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#define NO_SANDBOX 125

/* Every process below us: each has come to us, or is below one that will. */
static void end_all(void)
{
    struct census census;
    size_t left;

    do {
        left = 0;
        if (census_take(&census, getpid(), 0) == 0)
            for (size_t i = 0; i < census.count; i++)
                left += census.process[i].state != 'Z' &&
                        kill(census.process[i].pid, SIGKILL) == 0;
        census_release(&census);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            left = 1;
    } while (left > 0);
}

/* The worker's parent: takes over, and ends, what the worker leaves. */
static void run_plain(int (*work)(void *), void *arg)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        _exit(work(arg));
    }
    int status = pid < 0 ? NO_SANDBOX : status_of(pid);
    end_all();
    _exit(status);
}

/* The first process of the new namespace: when it ends, the kernel ends all
 * others of it. */
static void enter_namespaces(int (*work)(void *), void *arg)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (raise_loopback() < 0 || own_proc() < 0)
        _exit(NO_SANDBOX);
    _exit(work(arg));
}

/* /proc/net/tcp walks the whole table of connections, which a new network
 * shares with the machine: 260,000 places, 7 ms. ip-sysctl: a child may have
 * a small one of its own. Where there is no such file, it is only slower. */
static void shrink_connection_table(void)
{
    if (write_file("/proc/sys/net/ipv4/tcp_child_ehash_entries", "1024") == 0)
        unshare(CLONE_NEWNET);
}

static void run_in_namespaces(int (*work)(void *), void *arg)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (unshare_all() < 0)
        _exit(NO_SANDBOX);
    shrink_connection_table();
    pid_t pid = fork();
    if (pid == 0)
        enter_namespaces(work, arg);
    _exit(pid < 0 ? NO_SANDBOX : status_of(pid));
}

int sandbox_run(enum sandbox_kind kind, int (*work)(void *arg), void *arg)
{
    fflush(NULL);
    pid_t pid = fork();

    if (pid < 0)
        return -1;
    if (pid == 0 && kind == SANDBOX_NAMESPACES)
        run_in_namespaces(work, arg);
    if (pid == 0)
        run_plain(work, arg);
    int status = status_of(pid);
    if (status == NO_SANDBOX) {
        errno = EPERM;
        return -1;
    }
    return status;
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

enum sandbox_kind sandbox_best(void)
{
    return sandbox_run(SANDBOX_NAMESPACES, nothing, NULL) == 0
               ? SANDBOX_NAMESPACES
               : SANDBOX_PLAIN;
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

        *next = port >= 65000 ? 1025 : (uint16_t)(port + 1);
        if ((port < low || port > high) && is_free((uint16_t)port))
            return (uint16_t)port;
    }
    return 0;
}
