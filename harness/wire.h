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

/* Is there a live connection between these ports, seen from `local`? -1
 * where the kernel does not tell. Once a reset has arrived there is none. */
int wire_connected(uint16_t local, uint16_t remote);

/* The inodes (proc_net(5)) of the sockets with that local port: those of the
 * connection with `remote`, or where that is 0 those that listen. Returns how
 * many, at most `most`. */
size_t wire_inodes(uint16_t local, uint16_t remote, uint64_t *inodes,
                   size_t most);

/* True where nothing is under way: what the peers sent has arrived, and what
 * the program sent has been taken by each peer that is taking. */
bool wire_is_quiet(struct peer *const *peers, size_t count);

/* A number that changes when bytes move between the program and the kernel's
 * buffers for these peers. */
uint64_t wire_sum(struct peer *const *peers, size_t count);

#endif
