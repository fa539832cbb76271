/* wire.h - what is under way between the program and its peers, by the
 * kernel's table of sockets and the peers' own ones.
 */
#ifndef FAULTLINE_WIRE_H
#define FAULTLINE_WIRE_H

#include "peer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Does anybody listen on that TCP port? -1 where the kernel does not tell. */
int wire_listens(uint16_t port);

/* Is there a live connection at the program's end of that peer's, which may be
 * closed? -1 where the kernel does not tell. Once a reset has arrived there is
 * none. */
int wire_connected(const struct peer *peer);

/* The inodes (proc_net(5)) of the program's sockets: of its end of that peer's
 * connection, or without a peer of those that listen on its port. Returns how
 * many, at most `most`. */
size_t wire_inodes(uint16_t port, const struct peer *peer, uint64_t *inodes,
                   size_t most);

/* True where nothing is under way: what the peers sent has arrived, and what
 * the program sent has been taken by each peer that is taking. */
bool wire_is_quiet(struct peer *const *peers, size_t count);

/* Has the program's end bytes for that peer that it has not acknowledged? */
bool wire_has_more_for(const struct peer *peer);

/* What has come to a peer that does not read. Where it has no room, the
 * program's end probes for some: a segment without bytes. */
struct wire_arrivals {
    uint32_t segments;
    int bytes;
};
struct wire_arrivals wire_arrivals(const struct peer *peer);

/* A number that changes when bytes move between the program and the kernel's
 * buffers for these peers. */
uint64_t wire_sum(struct peer *const *peers, size_t count);

#endif
