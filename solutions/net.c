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

/* For the call that has just failed: reads errno. */
static int failed(const char *call)
{
    failed_call = call;
    reason = strerror(errno);
    return -1;
}

static int failed_look_up(int error)
{
    /* getaddrinfo(3), EAI_SYSTEM: errno has the reason */
    if (error == EAI_SYSTEM)
        return failed("getaddrinfo");
    failed_call = "getaddrinfo";
    reason = gai_strerror(error);
    return -1;
}

/* A number must fit the 16 bits of a port: getaddrinfo() cuts 99999 down to
 * 34463 and takes "" for 0. A name is left to getaddrinfo(). */
static int is_port(const char *port)
{
    char *end;
    long number = strtol(port, &end, 10);

    if (*end != '\0')
        return 1;
    return end != port && number >= 0 && number <= 65535;
}

/* The list is for freeaddrinfo(). */
static int look_up(const char *host, const char *port, int flags,
                   struct addrinfo **list)
{
    const struct addrinfo hints = {
        .ai_flags = flags,
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
    };

    if (!is_port(port))
        return failed_look_up(EAI_SERVICE);
    int error = getaddrinfo(host, port, &hints, list);
    return error == 0 ? 0 : failed_look_up(error);
}

static int connect_to(const struct addrinfo *address)
{
    int fd =
        socket(address->ai_family, address->ai_socktype, address->ai_protocol);

    if (fd == -1)
        return failed("socket");
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
        return fd;
    failed("connect");
    /* connect(2), NOTES: after a failure the socket's state is unspecified;
     * the next address gets a new one */
    close(fd);
    return -1;
}

int tcp_connect(const char *host, const char *port)
{
    struct addrinfo *list;
    int fd = -1;

    if (look_up(host, port, 0, &list) == -1)
        return -1;
    for (struct addrinfo *at = list; at && fd == -1; at = at->ai_next)
        fd = connect_to(at);
    freeaddrinfo(list);
    return fd;
}

int write_all(int fd, const void *data, size_t len_bytes)
{
    const char *from = data;

    while (len_bytes > 0) {
        ssize_t n = write(fd, from, len_bytes);

        if (n == -1 && errno == EINTR)
            continue; /* write(2), ERRORS: nothing was written */
        if (n == -1)
            return -1;
        /* write(2), RETURN VALUE: fewer than asked for is no error */
        from += n;
        len_bytes -= (size_t)n;
    }
    return 0;
}

/* Sets what must be set before bind(). */
static int set_options(int fd, int family)
{
    const int on = 1, off = 0;

    /* socket(7), SO_REUSEADDR: or a restart has to wait until the last
     * connections have left TIME_WAIT */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1)
        return failed("setsockopt");
    /* ipv6(7), IPV6_V6ONLY: off, the socket takes IPv4 clients as well */
    if (family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == -1)
        return failed("setsockopt");
    return 0;
}

static int listen_on(const struct addrinfo *address)
{
    int fd =
        socket(address->ai_family, address->ai_socktype, address->ai_protocol);

    if (fd == -1)
        return failed("socket");
    if (set_options(fd, address->ai_family) == -1)
        goto out;
    if (bind(fd, address->ai_addr, address->ai_addrlen) == -1) {
        failed("bind");
        goto out;
    }
    if (listen(fd, SOMAXCONN) == -1) {
        failed("listen");
        goto out;
    }
    return fd;
out:
    close(fd);
    return -1;
}

/* The first address of `family` that can be listened on. */
static int listen_on_family(const struct addrinfo *list, int family)
{
    int fd = -1;

    for (; list && fd == -1; list = list->ai_next)
        if (list->ai_family == family)
            fd = listen_on(list);
    return fd;
}

int tcp_listen(const char *port)
{
    struct addrinfo *list;

    /* getaddrinfo(3), AI_PASSIVE: no host, for bind(): all local addresses */
    if (look_up(NULL, port, AI_PASSIVE, &list) == -1)
        return -1;
    /* IPv6 first: it serves IPv4 too. A machine without it has IPv4 only. */
    int fd = listen_on_family(list, AF_INET6);
    if (fd == -1)
        fd = listen_on_family(list, AF_INET);
    freeaddrinfo(list);
    return fd;
}

int echo(int fd)
{
    char piece[16384];

    for (;;) {
        ssize_t n = read(fd, piece, sizeof(piece));

        if (n == 0)
            return 0; /* the client's FIN */
        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1)
            return -1;
        if (write_all(fd, piece, (size_t)n) == -1)
            return -1;
    }
}
