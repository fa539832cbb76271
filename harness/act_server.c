/* act_server.c - where the play is the server: listens, accepts, has names that
 * resolve to it. */
#define _GNU_SOURCE
#include "play_internal.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static int listen_on(const char *addr, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
                               .sin6_port = htons(port)};
    bool v4 = inet_pton(AF_INET, addr, &in.sin_addr) == 1;
    int fd = socket(v4 ? AF_INET : AF_INET6,
                    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (!v4) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
        inet_pton(AF_INET6, addr, &in6.sin6_addr);
    }
    const struct sockaddr *any = v4 ? (void *)&in : (void *)&in6;
    if (bind(fd, any, v4 ? sizeof(in) : sizeof(in6)) == 0 &&
        listen(fd, 16) == 0)
        return fd;
    close(fd);
    return -1;
}

bool play_has_ipv6(void)
{
    int fd = listen_on("::1", 0);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

void play_listen(struct play *play, const char *addr)
{
    play->listener = listen_on(addr, play->port);
    if (play->listener < 0)
        play_not_graded(play, "the play's server cannot listen");
}

/* tcp(7), TCP_MAXSEG: from small segments the kernel makes small buffers at
 * the other end, too. Accepted sockets inherit all three. */
void play_listen_small(struct play *play, const char *addr, int buffer_bytes)
{
    int segment_bytes = 1024;

    play_listen(play, addr);
    setsockopt(play->listener, SOL_SOCKET, SO_RCVBUF, &buffer_bytes,
               sizeof(buffer_bytes));
    setsockopt(play->listener, SOL_SOCKET, SO_SNDBUF, &buffer_bytes,
               sizeof(buffer_bytes));
    setsockopt(play->listener, IPPROTO_TCP, TCP_MAXSEG, &segment_bytes,
               sizeof(segment_bytes));
}

struct accepting {
    int listener;
    int fd;
};

static bool accepts(struct play *play, void *arg)
{
    struct accepting *accepting = arg;

    (void)play;
    if (accepting->fd < 0)
        accepting->fd = accept4(accepting->listener, NULL, NULL,
                                SOCK_CLOEXEC | SOCK_NONBLOCK);
    return accepting->fd >= 0;
}

static struct peer *new_server(struct play *play, int fd,
                               enum peer_answer answer)
{
    struct peer *peer = play_new_peer(play);

    peer->number = (int)++play->clients;
    peer_accepted(peer, fd, answer);
    play_tell(play, "the server accepts the connection");
    return peer;
}

struct peer *play_accept(struct play *play, enum peer_answer answer)
{
    struct accepting accepting = {play->listener, -1};

    play_must(play, accepts, &accepting, "the client connects to the server");
    return new_server(play, accepting.fd, answer);
}

struct peer *play_accept_now(struct play *play, enum peer_answer answer)
{
    struct accepting accepting = {play->listener, -1};

    if (!accepts(play, &accepting))
        return NULL;
    return new_server(play, accepting.fd, answer);
}

void play_host(struct play *play, const char *host, const char *const *addrs)
{
    struct trace_name *name = play->program->trace->name;
    struct trace_name *end = name + TRACE_NAMES;

    while (name < end && name->host[0])
        name++;
    assert_true(name < end);
    snprintf(name->host, sizeof(name->host), "%s", host);
    for (int n = 0; n < TRACE_ADDRS && addrs[n]; n++)
        snprintf(name->addr[n], sizeof(name->addr[n]), "%s", addrs[n]);
}
