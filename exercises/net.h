/* net.h - the toolbox: what every step needs again.
 *
 * tcp_connect() and write_all() are written in step 1, tcp_listen() and
 * echo() in step 2. Descriptors are blocking ones. None of these functions
 * touches a signal: a write() to a broken connection raises SIGPIPE unless
 * the program has seen to that.
 */
#ifndef NET_H
#define NET_H

#include <stddef.h>

/* Connects to `port` of `host`: each a name or a number, as in "localhost"
 * and "4000". Tries every address that the name has, in the resolver's order.
 * Returns a connected socket, the caller's to close, or -1 if none answers:
 * net_report() then says why. */
int tcp_connect(const char *host, const char *port);

/* Listens on `port` (a number from 0, which lets the kernel choose, to 65535,
 * or a name of services(5)) of all local addresses, IPv6 and IPv4 where the
 * machine has both.
 * Returns a listening socket, the caller's to close, or -1: net_report() then
 * says why. */
int tcp_listen(const char *port);

/* Writes all `len_bytes` bytes at `data`, in as many calls as it takes.
 * Returns 0, or -1 with write()'s errno; some bytes may then have gone out. */
int write_all(int fd, const void *data, size_t len_bytes);

/* Sends back what comes on `fd`, as it comes, until the client has ended its
 * side and has got back all that it sent. `fd` stays open.
 * Returns 0 when the client ended in order, or -1 when the connection broke,
 * with the errno of the read() or write() that failed. */
int echo(int fd);

/* Says on stderr what made tcp_connect() or tcp_listen() return -1 last, and
 * why: "PROGRAM: connect: Connection refused". Says nothing if neither of
 * them has told it. */
void net_report(const char *program);

#endif
