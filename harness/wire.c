/* wire.c - what the rows of the table mean for the peers. */
#define _GNU_SOURCE
#include "wire.h"

#include "wire_table.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

/* proc_net(5), tr: a segment is on its way and not acknowledged yet. (4: none
 * is, and a shut window is probed.) */
#define TIMER_RETRANSMIT 1

static bool listens_there(const struct wire_row *row, void *arg)
{
    return row->state == TCP_LISTEN && row->local == *(uint16_t *)arg;
}

int wire_listens(uint16_t port)
{
    return wire_each(true, listens_there, &port);
}

/* The sockets at both ends of those connections, and perhaps others. */
static int each_at(const struct wire_ends *ends, size_t count, wire_look *look,
                   void *arg)
{
    int found = wire_each_of(ends, count, look, arg);

    return found < 0 ? wire_each(false, look, arg) : found;
}

static int each_of(const struct peer *peer, wire_look *look, void *arg)
{
    const struct wire_ends ends = {peer->local, peer->remote};

    return each_at(&ends, 1, look, arg);
}

static bool is_other_end(const struct wire_row *row, const struct peer *peer)
{
    return row->local == peer->remote_port && row->remote == peer->port;
}

static bool lives_at_other_end(const struct wire_row *row, void *arg)
{
    return row->state != TCP_TIME_WAIT && is_other_end(row, arg);
}

int wire_connected(const struct peer *peer)
{
    return each_of(peer, lives_at_other_end, (void *)peer);
}

struct inodes {
    uint16_t port;
    const struct peer *peer;
    uint64_t *inode;
    size_t count, most;
};

static bool add_inode(const struct wire_row *row, void *arg)
{
    struct inodes *found = arg;

    if (row->inode > 0 &&
        (found->peer ? is_other_end(row, found->peer)
                     : row->state == TCP_LISTEN && row->local == found->port))
        found->inode[found->count++] = row->inode;
    return found->count == found->most;
}

size_t wire_inodes(uint16_t port, const struct peer *peer, uint64_t *inodes,
                   size_t most)
{
    struct inodes found = {port, peer, inodes, 0, most};

    if (most > 0 && peer)
        each_of(peer, add_inode, &found);
    else if (most > 0)
        wire_each(true, add_inode, &found);
    return found.count;
}

struct peers {
    struct peer *const *peer;
    size_t count;
};

/* The newest of that port: it was given anew where a connection was reset. */
static struct peer *peer_at(const struct peers *peers, unsigned local,
                            unsigned remote)
{
    for (size_t i = peers->count; i-- > 0;)
        if (peers->peer[i]->kind != PEER_USER && peers->peer[i]->in >= 0 &&
            peers->peer[i]->port == local &&
            peers->peer[i]->remote_port == remote)
            return peers->peer[i];
    return NULL;
}

static bool unread(const struct peer *peer)
{
    int waiting = 0;

    return ioctl(peer->in, FIONREAD, &waiting) == 0 && waiting > 0;
}

/* A full receive buffer drops what still comes, and it is sent again in vain
 * until the peer reads: nothing moves. */
static bool is_full(const struct peer *peer)
{
    uint32_t memory[SK_MEMINFO_VARS];
    socklen_t len = sizeof(memory);

    return getsockopt(peer->in, SOL_SOCKET, SO_MEMINFO, memory, &len) == 0 &&
           memory[SK_MEMINFO_RMEM_ALLOC] > memory[SK_MEMINFO_RCVBUF];
}

/* Bytes that the peer has sent and are not acknowledged, or of them those that
 * have not left it yet: SIOCOUTQ, SIOCOUTQNSD. */
static int outstanding(const struct peer *peer, unsigned long which)
{
    int bytes = 0;

    ioctl(peer->in, which, &bytes);
    return bytes;
}

/* The program has read all that came, and there is more to come: the kernel
 * does not tell of little room, and probes for it later (RFC 9293, 3.8.6). */
static bool has_room(const struct peers *peers, const struct wire_row *row)
{
    const struct peer *peer = peer_at(peers, row->remote, row->local);

    return peer && row->unread == 0 &&
           (row->state == TCP_ESTABLISHED || row->state == TCP_FIN_WAIT1 ||
            row->state == TCP_FIN_WAIT2) &&
           outstanding(peer, SIOCOUTQ) > 0;
}

/* Loopback loses nothing: the program's end is full. */
static bool is_sent_in_vain(const struct peer *peer)
{
    struct tcp_info info;
    socklen_t len = sizeof(info);

    return getsockopt(peer->in, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
           info.tcpi_backoff > 0;
}

static bool has_more_to_send(const struct wire_row *row, void *arg)
{
    return is_other_end(row, arg) && row->unacknowledged > 0;
}

bool wire_has_more_for(const struct peer *peer)
{
    return each_of(peer, has_more_to_send, (void *)peer) == 1;
}

/* The program's side of a connection: has all of it arrived? A peer that
 * does not take holds it up for good, which is no movement; but what is
 * acknowledged late gives the program room to write. */
static bool comes_from_program(const struct peers *peers,
                               const struct wire_row *row)
{
    struct peer *peer = peer_at(peers, row->remote, row->local);

    if (!peer)
        return false;
    if (!peer_takes(peer))
        return row->timer == TIMER_RETRANSMIT && row->retransmits == 0 &&
               !is_full(peer);
    return row->unacknowledged > 0 || row->state == TCP_FIN_WAIT1 ||
           row->state == TCP_CLOSING || row->state == TCP_LAST_ACK ||
           unread(peer);
}

/* A peer's side: bytes that have left it and are not acknowledged yet. What
 * waits for room at the program has not left. */
static bool comes_from_peer(const struct peers *peers,
                            const struct wire_row *row)
{
    struct peer *peer = peer_at(peers, row->local, row->remote);

    if (!peer)
        return false;
    int unsent = outstanding(peer, SIOCOUTQNSD);
    if (outstanding(peer, SIOCOUTQ) > unsent)
        return !is_sent_in_vain(peer);
    return unsent == 0 &&
           (row->state == TCP_FIN_WAIT1 || row->state == TCP_CLOSING ||
            row->state == TCP_LAST_ACK);
}

static bool is_under_way(const struct wire_row *row, void *arg)
{
    const struct peers *peers = arg;

    if (row->state == TCP_SYN_SENT || row->state == TCP_SYN_RECV)
        return peer_at(peers, row->local, row->remote) ||
               peer_at(peers, row->remote, row->local);
    return has_room(peers, row) || comes_from_program(peers, row) ||
           comes_from_peer(peers, row);
}

#define LOOKED_UP 128 /* of more, the whole table is read sooner */

/* Of all connections that are not over. */
static int each_end(const struct peers *peers, wire_look *look, void *arg)
{
    struct wire_ends ends[LOOKED_UP];
    size_t count = 0;

    for (size_t i = 0; i < peers->count && count <= LOOKED_UP; i++) {
        const struct peer *peer = peers->peer[i];

        if (peer->kind == PEER_USER || peer->in < 0 || peer->over)
            continue;
        if (count < LOOKED_UP)
            ends[count] = (struct wire_ends){peer->local, peer->remote};
        count++;
    }
    return count > LOOKED_UP ? wire_each(false, look, arg)
                             : each_at(ends, count, look, arg);
}

struct sum {
    struct peers peers;
    uint64_t value;
};

static bool add_up(const struct wire_row *row, void *arg)
{
    struct sum *sum = arg;

    if (peer_at(&sum->peers, row->local, row->remote) ||
        peer_at(&sum->peers, row->remote, row->local))
        sum->value = sum->value * 1000003u + row->local +
                     row->unacknowledged * 31 + row->unread * 37;
    return false;
}

uint64_t wire_sum(struct peer *const *peers, size_t count)
{
    struct sum sum = {.peers = {peers, count}};

    each_end(&sum.peers, add_up, &sum);
    return sum.value;
}

bool wire_is_quiet(struct peer *const *peers, size_t count)
{
    struct peers all = {peers, count};

    if (count == 0)
        return true;
    return each_end(&all, is_under_way, &all) == 0;
}
