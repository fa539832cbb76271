/* wire.c - reading proc_net(5)'s tcp and tcp6. */
#define _GNU_SOURCE
#include "wire.h"

#include <ctype.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

/* A line of the table. */
struct row {
    unsigned local, remote; /* ports */
    unsigned state;
    unsigned long unacknowledged; /* bytes sent; of a listener: its backlog */
    unsigned long unread;         /* bytes that have come */
    unsigned retransmits;         /* loopback loses nothing: the peer is full */
    unsigned timer;               /* TIMER_... */
    unsigned long long inode;     /* 0: no process holds it */
};

/* proc_net(5), tr: a segment is on its way and not acknowledged yet. (4: none
 * is, and a shut window is probed.) */
#define TIMER_RETRANSMIT 1

/* The next number, as all there are: in hexadecimal digits. An address of
 * IPv6 is too long for it, and nobody asks. */
static unsigned long next_number(const char **at)
{
    unsigned long value = 0;

    while (**at && !isxdigit((unsigned char)**at))
        ++*at;
    for (; isxdigit((unsigned char)**at); ++*at)
        value = value * 16 + (unsigned long)(isdigit((unsigned char)**at)
                                                 ? **at - '0'
                                                 : (**at | 32) - 'a' + 10);
    return value;
}

/* sl: address:port address:port st tx:rx tr:when retransmits uid timeout
 * inode, which is decimal. A table has a thousand lines, too many for
 * sscanf(3). */
static struct row read_row(const char *line)
{
    unsigned long number[13];

    for (int i = 0; i < 13; i++)
        number[i] = next_number(&line);
    return (struct row){.local = (unsigned)number[2],
                        .remote = (unsigned)number[4],
                        .state = (unsigned)number[5],
                        .unacknowledged = number[6],
                        .unread = number[7],
                        .timer = (unsigned)number[8],
                        .retransmits = (unsigned)number[10],
                        .inode = strtoull(line, NULL, 10)};
}

/* Calls `each` for every TCP socket until it returns true. Returns whether it
 * did; -1 where there is no table. */
static int each_row(bool (*each)(const struct row *, void *), void *arg)
{
    static const char *const tables[] = {"/proc/net/tcp", "/proc/net/tcp6"};
    int found = -1;

    for (int i = 0; i < 2; i++) {
        FILE *table = fopen(tables[i], "re");
        char line[512], room[16384];

        if (!table)
            continue;
        setvbuf(table, room, _IOFBF, sizeof(room));
        found = found < 0 ? 0 : found;
        if (!fgets(line, sizeof(line), table)) /* the columns' names */
            line[0] = '\0';
        while (found == 0 && fgets(line, sizeof(line), table)) {
            struct row row = read_row(line);

            if (each(&row, arg))
                found = 1;
        }
        fclose(table);
    }
    return found;
}

static bool listens_there(const struct row *row, void *arg)
{
    return row->state == TCP_LISTEN && row->local == *(uint16_t *)arg;
}

int wire_listens(uint16_t port)
{
    return each_row(listens_there, &port);
}

static bool joins(const struct row *row, void *arg)
{
    const struct row *ends = arg;

    return row->state != TCP_TIME_WAIT && row->local == ends->local &&
           row->remote == ends->remote;
}

int wire_connected(uint16_t local, uint16_t remote)
{
    struct row ends = {.local = local, .remote = remote};

    return each_row(joins, &ends);
}

struct inodes {
    unsigned local, remote;
    uint64_t *inode;
    size_t count, most;
};

static bool add_inode(const struct row *row, void *arg)
{
    struct inodes *found = arg;

    if (row->inode > 0 && row->local == found->local &&
        (found->remote ? row->remote == found->remote
                       : row->state == TCP_LISTEN))
        found->inode[found->count++] = row->inode;
    return found->count == found->most;
}

size_t wire_inodes(uint16_t local, uint16_t remote, uint64_t *inodes,
                   size_t most)
{
    struct inodes found = {local, remote, inodes, 0, most};

    if (most > 0)
        each_row(add_inode, &found);
    return found.count;
}

struct peers {
    struct peer *const *peer;
    size_t count;
};

static struct peer *peer_at(const struct peers *peers, unsigned local,
                            unsigned remote)
{
    for (size_t i = 0; i < peers->count; i++)
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

/* The program's side of a connection: has all of it arrived? A peer that
 * does not take holds it up for good, which is no movement; but what is
 * acknowledged late gives the program room to write. */
static bool comes_from_program(const struct peers *peers, const struct row *row)
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
static bool comes_from_peer(const struct peers *peers, const struct row *row)
{
    struct peer *peer = peer_at(peers, row->local, row->remote);
    int sent = 0, unsent = 0;

    if (!peer)
        return false;
    ioctl(peer->in, SIOCOUTQ, &sent);
    ioctl(peer->in, SIOCOUTQNSD, &unsent);
    if (sent > unsent)
        return true;
    return unsent == 0 &&
           (row->state == TCP_FIN_WAIT1 || row->state == TCP_CLOSING ||
            row->state == TCP_LAST_ACK);
}

static bool is_under_way(const struct row *row, void *arg)
{
    const struct peers *peers = arg;

    if (row->state == TCP_SYN_SENT || row->state == TCP_SYN_RECV)
        return peer_at(peers, row->local, row->remote) ||
               peer_at(peers, row->remote, row->local);
    return comes_from_program(peers, row) || comes_from_peer(peers, row);
}

struct sum {
    struct peers peers;
    uint64_t value;
};

static bool add_up(const struct row *row, void *arg)
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

    each_row(add_up, &sum);
    return sum.value;
}

bool wire_is_quiet(struct peer *const *peers, size_t count)
{
    struct peers all = {peers, count};

    if (count == 0)
        return true;
    return each_row(is_under_way, &all) != 1;
}
