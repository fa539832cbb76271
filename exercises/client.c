/* client.c - step 1: what you type goes to an echo server, what it answers
 * to your screen.
 *
 * Run it:  build/client localhost 4000
 *
 * Two streams run at the same time: stdin to the server, and the server to
 * stdout. If you send everything before you read anything, the echo piles up
 * until neither end can write any more, and both wait for ever. So wait for
 * whichever stream can move, and never in a call that moves only one of them.
 *
 * Its rules, beside the common ones of the lab sheet:
 * - It tries every address of HOST in turn, IPv4 or IPv6, until one connects.
 * - Bytes of any value and any number pass unchanged, both ways, as they come.
 *   While none come it waits in a call, and does not look again and again.
 * - A line typed is sent, and its echo shown, before the next one is typed.
 * - At the end of stdin it half-closes, shutdown(SHUT_WR), unless it has got
 *   back all that it sent already.
 * - It exits with 0 when stdin has ended and all that it sent has come back,
 *   and with 1 and a message when the connection breaks or ends before; it
 *   notices that at once, not at the next key. SIGPIPE never kills it.
 *
 * Read: poll(2), recv(2) and send(2) with MSG_DONTWAIT, shutdown(2),
 *       getaddrinfo(3), tcp(7)
 */
#include "net.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* TODO: one turn of the talk: wait until stdin or the server can move, then do
 * what can be done without waiting. */

/* Talks until all that came on stdin has come back. Returns the program's
 * exit status, after a message if it is not 0. */
static int converse(int server)
{
    (void)server;
    return EXIT_SUCCESS; /* TODO: take turns until all has come back */
}

int main(int argc, char *argv[])
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s HOST PORT\n", argv[0]);
        return 2;
    }

    int server = tcp_connect(argv[1], argv[2]);
    if (server == -1) {
        net_report(argv[0]);
        return EXIT_FAILURE;
    }
    int status = converse(server);
    close(server);
    return status;
}
