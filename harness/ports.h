/* ports.h - who may use which ports, where several harnesses share a loopback.
 */
#ifndef FAULTLINE_PORTS_H
#define FAULTLINE_PORTS_H

#include <stdbool.h>
#include <stdint.h>

/* Claims the block of ports that `port` lies in for this process, until it
 * ends or claims another: a port that is free is not yet ours, as another
 * harness may have found it free, too. The claim is the name of an abstract
 * socket, unix(7): one for each network namespace, and the kernel takes it
 * back. Returns false where another process holds the block. */
bool ports_claim(uint16_t port);

/* The first port of the block behind that of `port`. */
uint16_t ports_next_block(uint16_t port);

#endif
