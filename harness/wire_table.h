/* wire_table.h - the kernel's table of TCP sockets, row by row.
 *
 * From sock_diag(7), or where the kernel has none from proc_net(5)'s tcp and
 * tcp6, which a hundred looks a second make dear.
 *
 * Must not know: peers, what a row means for a play.
 */
#ifndef FAULTLINE_WIRE_TABLE_H
#define FAULTLINE_WIRE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* A socket. */
struct wire_row {
    unsigned local, remote;   /* ports */
    unsigned state;           /* TCP_... */
    unsigned unacknowledged;  /* bytes sent */
    unsigned unread;          /* bytes that have come */
    unsigned retransmits;     /* loopback loses nothing: the peer is full */
    unsigned timer;           /* 1: a segment is on its way and not acknowledged
                               * yet; 4: none is, a shut window is probed */
    unsigned long long inode; /* 0: no process holds it */
};

typedef bool wire_look(const struct wire_row *row, void *arg);

/* Calls `look` until it returns true: for every TCP socket of IPv4 and IPv6
 * that listens, or for every other one; where there is no sock_diag(7), for
 * all. Returns whether it did; -1 where the kernel shows no table. */
int wire_each(bool listeners, wire_look *look, void *arg);

/* Both ends of a connection, IPv4 or IPv6. */
struct wire_ends {
    struct sockaddr_storage local, remote;
};

/* The same for the sockets at both ends of those connections, which are looked
 * up one by one: a whole table is large, be it nearly empty (5 us a look-up;
 * 1.5 ms a table of 262,144 places). -1 where the kernel cannot do so. */
int wire_each_of(const struct wire_ends *ends, size_t count, wire_look *look,
                 void *arg);

/* The two ways, for their tests: -1 where that one is not to be had. */
int wire_each_by_diag(bool listeners, wire_look *look, void *arg);
int wire_each_by_proc(wire_look *look, void *arg);

#endif
