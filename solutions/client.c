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

/* What has been read from stdin waits in piece[start..end) to be sent; no
 * more is read before it is gone. */
struct talk {
    int server;
    bool input_ended;
    unsigned long long sent_bytes, received_bytes;
    size_t start, end;
    char piece[16384];
};

static bool is_complete(const struct talk *talk)
{
    return talk->input_ended && talk->start == talk->end &&
           talk->received_bytes >= talk->sent_bytes;
}

/* Not a failure: interrupted, or, select(2), BUGS: reported ready but is not.
 */
static bool is_passing(int error)
{
    return error == EINTR || error == EAGAIN;
}

/* Says why the talk is over. */
static int failed(const char *what)
{
    fprintf(stderr, "client: %s: %s\n", what, strerror(errno));
    return -1;
}

static int show_echo(struct talk *talk)
{
    char piece[sizeof(talk->piece)];
    ssize_t n = recv(talk->server, piece, sizeof(piece), MSG_DONTWAIT);

    if (n == -1)
        return is_passing(errno) ? 0 : failed("receiving");
    if (n == 0) {
        fprintf(stderr, "client: the server ended the connection early\n");
        return -1;
    }
    talk->received_bytes += (size_t)n;
    if (write_all(STDOUT_FILENO, piece, (size_t)n) == -1)
        return failed("standard output");
    return 0;
}

static int take_input(struct talk *talk)
{
    ssize_t n = read(STDIN_FILENO, talk->piece, sizeof(talk->piece));

    if (n == -1)
        return is_passing(errno) ? 0 : failed("standard input");
    talk->start = 0;
    talk->end = (size_t)n;
    talk->input_ended = n == 0;
    /* shutdown(2): our FIN tells the server that this was all. Where it fails,
     * the connection is gone; that matters if some echo is still due. */
    if (talk->input_ended && shutdown(talk->server, SHUT_WR) == -1 &&
        !is_complete(talk))
        return failed("half-closing");
    return 0;
}

/* send(2), MSG_DONTWAIT: takes what fits; blocking here would stop the echo,
 * and with it the server. */
static int send_pending(struct talk *talk)
{
    ssize_t n = send(talk->server, talk->piece + talk->start,
                     talk->end - talk->start, MSG_DONTWAIT);

    if (n == -1)
        return is_passing(errno) ? 0 : failed("sending");
    talk->start += (size_t)n;
    talk->sent_bytes += (size_t)n;
    return 0;
}

/* Lets each stream that can move do so. */
static int take_turn(struct talk *talk)
{
    bool pending = talk->start < talk->end;
    struct pollfd ready[] = {
        {.fd = talk->input_ended || pending ? -1 : STDIN_FILENO,
         .events = POLLIN},
        {.fd = talk->server, .events = POLLIN | (pending ? POLLOUT : 0)},
    };

    if (poll(ready, 2, -1) == -1)
        return errno == EINTR ? 0 : failed("poll");
    /* The echo first: what came before the connection broke is still shown.
     * poll(2): POLLHUP and POLLERR come unasked, and recv() knows why. */
    if ((ready[1].revents & ~POLLOUT) && show_echo(talk) == -1)
        return -1;
    if (ready[0].revents && take_input(talk) == -1)
        return -1;
    if (talk->start < talk->end && send_pending(talk) == -1)
        return -1;
    return 0;
}

/* Talks until all that came on stdin has come back. Returns the program's
 * exit status, after a message if it is not 0. */
static int converse(int server)
{
    struct talk talk = {.server = server};

    /* signal(7): by default, a write to a connection that is gone, or to a
     * closed stdout, would end us without a word. Ignored, it fails: EPIPE. */
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
        failed("signal");
        return EXIT_FAILURE;
    }
    while (!is_complete(&talk))
        if (take_turn(&talk) == -1)
            return EXIT_FAILURE;
    return EXIT_SUCCESS;
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
