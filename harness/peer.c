/* peer.c - peers on TCP sockets, pipes and terminals. */
#define _GNU_SOURCE
#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CHUNK 65536
#define HELD  65536

/* A send buffer's size goes by that of the segments: tcp(7), TCP_MAXSEG. */
#define SMALL_SEGMENT     1024
#define SMALL_SEND_BUFFER 16384

#define NO_LIMIT UINT64_MAX

static void init(struct peer *peer, enum peer_kind kind, int in, int out)
{
    int number = peer->number;

    memset(peer, 0, sizeof(*peer));
    peer->number = number;
    peer->kind = kind;
    peer->in = in;
    peer->out = out;
    peer->reading = true;
    peer->read_most = NO_LIMIT;
    fcntl(in, F_SETFL, O_NONBLOCK);
    fcntl(out, F_SETFL, O_NONBLOCK);
}

static void option(int fd, int level, int name, int value)
{
    setsockopt(fd, level, name, &value, sizeof(value));
}

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

static socklen_t parse_address(union address *address, const char *text,
                               uint16_t port)
{
    memset(address, 0, sizeof(*address));
    if (inet_pton(AF_INET, text, &address->in.sin_addr) == 1) {
        address->in.sin_family = AF_INET;
        address->in.sin_port = htons(port);
        return sizeof(address->in);
    }
    inet_pton(AF_INET6, text, &address->in6.sin6_addr);
    address->in6.sin6_family = AF_INET6;
    address->in6.sin6_port = htons(port);
    return sizeof(address->in6);
}

static uint16_t port_of(const union address *address)
{
    return ntohs(address->any.sa_family == AF_INET ? address->in.sin_port
                                                   : address->in6.sin6_port);
}

int peer_connect(struct peer *peer, const char *addr, uint16_t port,
                 int receive_buffer_bytes,
                 void (*port_known)(void *arg, uint16_t port), void *arg)
{
    union address local, remote;
    socklen_t len = parse_address(&remote, addr, port);

    parse_address(&local, addr, 0);
    int fd = socket(remote.any.sa_family,
                    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    init(peer, PEER_CLIENT, fd, fd);
    peer->remote_port = port;
    option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (receive_buffer_bytes) {
        option(fd, SOL_SOCKET, SO_RCVBUF, receive_buffer_bytes);
        option(fd, SOL_SOCKET, SO_SNDBUF, SMALL_SEND_BUFFER);
        option(fd, IPPROTO_TCP, TCP_MAXSEG, SMALL_SEGMENT);
    }
    /* The port must be known before the program can see the connection. */
    if (bind(fd, &local.any, len) < 0 || getsockname(fd, &local.any, &len) < 0)
        return -1;
    peer->port = port_of(&local);
    memcpy(&peer->local, &local, sizeof(local));
    memcpy(&peer->remote, &remote, sizeof(remote));
    if (port_known)
        port_known(arg, peer->port);
    if (connect(fd, &remote.any, len) < 0 && errno != EINPROGRESS) {
        peer->error = errno;
        return 0;
    }
    return 0;
}

void peer_accepted(struct peer *peer, int fd, enum peer_answer answer)
{
    union address address = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t len = sizeof(address);

    init(peer, PEER_SERVER, fd, fd);
    peer->connected = true;
    peer->discards = true;
    peer->answer = answer;
    option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (getsockname(fd, &address.any, &len) == 0)
        peer->port = port_of(&address);
    memcpy(&peer->local, &address, sizeof(address));
    len = sizeof(address);
    if (getpeername(fd, &address.any, &len) == 0)
        peer->remote_port = port_of(&address);
    memcpy(&peer->remote, &address, sizeof(address));
}

void peer_user(struct peer *peer, int in, int out)
{
    init(peer, PEER_USER, in, out);
    peer->connected = true;
}

static int add_segment(struct peer *peer, const char *bytes, uint64_t len)
{
    if (peer->segments == PEER_SEGMENTS) {
        errno = ENOBUFS;
        return -1;
    }
    peer->segment[peer->segments++] =
        (struct peer_segment){peer->queued, len, bytes};
    peer->queued += len;
    return 0;
}

int peer_queue(struct peer *peer, const void *bytes, size_t len)
{
    char *copy = malloc(len ? len : 1);

    if (!copy)
        return -1;
    memcpy(copy, bytes, len);
    if (add_segment(peer, copy, len) == 0)
        return 0;
    free(copy);
    return -1;
}

/* What follows a pattern is more of it. */
int peer_queue_pattern(struct peer *peer, uint64_t len)
{
    size_t last = peer->segments;

    if (last == 0 || peer->segment[last - 1].bytes)
        return add_segment(peer, NULL, len);
    peer->segment[last - 1].len += len;
    peer->queued += len;
    return 0;
}

#define PERIOD 251

/* 0, 1 ... 255, twice: the pattern's bytes grow by one, up to a period's end.
 */
#define FOUR(n)    (n), (n) + 1, (n) + 2, (n) + 3
#define SIXTEEN(n) FOUR(n), FOUR((n) + 4), FOUR((n) + 8), FOUR((n) + 12)
#define SIXTY_FOUR(n)                                                          \
    SIXTEEN(n), SIXTEEN((n) + 16), SIXTEEN((n) + 32), SIXTEEN((n) + 48)
#define ALL SIXTY_FOUR(0), SIXTY_FOUR(64), SIXTY_FOUR(128), SIXTY_FOUR(192)
static const unsigned char ramp[] = {ALL, ALL};

/* Neighbours differ, and so do places a power of two apart: a swapped,
 * lost or doubled block shows. The period, 251, is prime. Returns how many
 * bytes of `len` it is up to the period's end. */
static size_t pattern(const struct peer *peer, uint64_t at,
                      unsigned char *bytes, size_t len)
{
    uint64_t place = at % PERIOD;
    uint64_t first = place + at / PERIOD * 7 + (uint64_t)peer->number * 37;

    if (len > PERIOD - place)
        len = PERIOD - place;
    memcpy(bytes, ramp + first % 256, len);
    return len;
}

static const struct peer_segment *segment_of(const struct peer *peer,
                                             uint64_t at)
{
    size_t i = peer->segments - 1;

    while (at < peer->segment[i].start)
        i--;
    return &peer->segment[i];
}

/* Those from `at`, all of which are queued. */
static void queued_bytes(const struct peer *peer, uint64_t at,
                         unsigned char *bytes, size_t len)
{
    while (len > 0) {
        const struct peer_segment *segment = segment_of(peer, at);
        uint64_t skipped = at - segment->start, left = segment->len - skipped;
        size_t n = left < len ? (size_t)left : len;

        if (segment->bytes)
            memcpy(bytes, segment->bytes + skipped, n);
        else
            n = pattern(peer, at, bytes, n);
        at += n;
        bytes += n;
        len -= n;
    }
}

unsigned char peer_byte(const struct peer *peer, uint64_t at)
{
    unsigned char byte = 0;

    if (at < peer->queued)
        queued_bytes(peer, at, &byte, 1);
    return byte;
}

static void broke(struct peer *peer, int error)
{
    if (!peer->error)
        peer->error = error;
}

static bool ask_kernel(const struct peer *peer, struct tcp_info *info)
{
    socklen_t len = sizeof(*info);

    return getsockopt(peer->in, IPPROTO_TCP, TCP_INFO, info, &len) == 0;
}

static void finish_connecting(struct peer *peer)
{
    int error = 0;
    socklen_t len = sizeof(error);
    struct tcp_info info;

    if (getsockopt(peer->in, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error)
        broke(peer, error);
    else if (ask_kernel(peer, &info) && info.tcpi_state != TCP_SYN_SENT)
        peer->connected = true;
    /* It was connected, and has been reset before we looked. */
    if (error == ECONNRESET)
        peer->connected = true;
}

static ssize_t put(struct peer *peer, const void *bytes, size_t len)
{
    ssize_t n = peer->in == peer->out
                    ? send(peer->out, bytes, len, MSG_NOSIGNAL)
                    : write(peer->out, bytes, len);

    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        broke(peer, errno);
        return -1;
    }
    return n < 0 ? 0 : n;
}

static uint64_t pump_out(struct peer *peer)
{
    unsigned char chunk[CHUNK];
    uint64_t moved = 0;

    while (peer->out >= 0 && !peer->error && peer->sent < peer->queued) {
        uint64_t left = peer->queued - peer->sent;
        size_t len = left < CHUNK ? (size_t)left : CHUNK;

        queued_bytes(peer, peer->sent, chunk, len);
        ssize_t n = put(peer, chunk, len);
        if (n <= 0)
            break;
        peer->sent += (uint64_t)n;
        moved += (uint64_t)n;
    }
    return moved;
}

static void compare(struct peer *peer, const unsigned char *bytes, size_t len)
{
    unsigned char due[CHUNK];
    uint64_t at = peer->received;
    uint64_t left = at < peer->queued ? peer->queued - at : 0;
    size_t same = 0, known = left < len ? (size_t)left : len;

    peer->received += len;
    if (peer->differs || peer->discards)
        return;
    queued_bytes(peer, at, due, known);
    if (known == len && memcmp(bytes, due, len) == 0)
        return;
    while (same < known && bytes[same] == due[same])
        same++;
    peer->differs = true;
    peer->differs_at = at + same;
    peer->differs_came = bytes[same];
    peer->differs_due = same < known ? due[same] : 0;
}

/* How much to take now. */
static size_t appetite(const struct peer *peer)
{
    uint64_t room = peer->read_most - peer->received;

    if (peer->kind == PEER_SERVER && peer->answer == ANSWER_BLOCKING &&
        peer->held_len > 0)
        return 0;
    if (peer->kind == PEER_SERVER && peer->answer != ANSWER_NOTHING &&
        room > HELD - peer->held_len)
        room = HELD - peer->held_len;
    return room < CHUNK ? (size_t)room : CHUNK;
}

bool peer_takes(const struct peer *peer)
{
    return peer->in >= 0 && peer->reading && !peer->eof && !peer->error &&
           appetite(peer) > 0;
}

static bool keep(struct peer *peer, const unsigned char *bytes, size_t len)
{
    if (peer->answer == ANSWER_NOTHING || peer->kind != PEER_SERVER)
        return true;
    if (!peer->held)
        peer->held = malloc(HELD);
    if (!peer->held)
        return false;
    memmove(peer->held, peer->held + peer->held_at, peer->held_len);
    peer->held_at = 0;
    memcpy(peer->held + peer->held_len, bytes, len);
    peer->held_len += len;
    return true;
}

/* Quick acknowledgements, again after each receive: the program's own
 * socket options stay its own, and a short write costs no 40 ms. */
static uint64_t pump_in(struct peer *peer)
{
    unsigned char chunk[CHUNK];
    uint64_t moved = 0;
    size_t want;

    while (peer->in >= 0 && peer->reading && !peer->eof && !peer->error &&
           (want = appetite(peer)) > 0) {
        ssize_t n = read(peer->in, chunk, want);

        if (n < 0 && peer->kind == PEER_USER && errno == EIO)
            n = 0; /* a terminal whose other side is closed */
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        if (n < 0) {
            broke(peer, errno);
            return moved + 1;
        }
        if (n == 0) {
            peer->eof = true;
            return moved + 1;
        }
        compare(peer, chunk, (size_t)n);
        if (!keep(peer, chunk, (size_t)n))
            broke(peer, ENOMEM);
        moved += (uint64_t)n;
        if (peer->in == peer->out)
            option(peer->in, IPPROTO_TCP, TCP_QUICKACK, 1);
    }
    return moved;
}

/* A server peer's answer: what it holds, or the next piece of it. */
static uint64_t pump_answer(struct peer *peer)
{
    uint64_t moved = 0;

    while (peer->held_len > 0 && !peer->error) {
        size_t len = peer->held_len;

        if (peer->answer == ANSWER_PIECES && len > peer->piece % 7 + 1)
            len = peer->piece % 7 + 1;
        ssize_t n = put(peer, peer->held + peer->held_at, len);
        if (n <= 0)
            break;
        peer->held_at += (size_t)n;
        peer->held_len -= (size_t)n;
        peer->sent += (uint64_t)n;
        peer->piece++;
        moved += (uint64_t)n;
    }
    return moved;
}

static bool all_sent(const struct peer *peer)
{
    if (peer->kind == PEER_SERVER && peer->answer != ANSWER_NOTHING)
        return peer->eof && peer->held_len == 0;
    return peer->sent == peer->queued;
}

static uint64_t pump_half_close(struct peer *peer)
{
    if (!peer->half_close || peer->half_closed || !all_sent(peer))
        return 0;
    peer->half_closed = true;
    if (peer->in == peer->out) {
        shutdown(peer->out, SHUT_WR);
    } else {
        close(peer->out);
        peer->out = -1;
    }
    return 1;
}

/* Linux shuts the window when a full buffer has dropped a segment, and hears
 * no acknowledgement from beyond it, nor that the other end has read and has
 * room again: both would wait for ever. Where we probe for that room, more room
 * here lets the other's word come through. */
static void listen_to_other_end(struct peer *peer)
{
    struct tcp_info info;
    socklen_t len = sizeof(int);
    int bytes;

    if (peer_takes(peer) || !ask_kernel(peer, &info) || info.tcpi_probes == 0)
        return;
    /* socket(7): what is set is doubled, up to what anybody may have. */
    if (getsockopt(peer->in, SOL_SOCKET, SO_RCVBUF, &bytes, &len) == 0)
        option(peer->in, SOL_SOCKET, SO_RCVBUF, bytes);
}

/* Once the other end has said its last word, nothing keeps it from hearing
 * ours. */
static void listen_for_the_end(struct peer *peer)
{
    struct tcp_info info;

    peer->over = (peer->half_closed || peer->error) &&
                 ask_kernel(peer, &info) && info.tcpi_state == TCP_CLOSE;
}

uint64_t peer_pump(struct peer *peer)
{
    uint64_t moved = 0;

    if (peer->in < 0 || peer->over)
        return 0;
    if (!peer->connected && !peer->error)
        finish_connecting(peer);
    if (!peer->connected)
        return 0;
    if (peer->kind != PEER_USER && (peer->eof || peer->error))
        listen_for_the_end(peer);
    else if (peer->kind != PEER_USER)
        listen_to_other_end(peer);
    moved += pump_out(peer);
    moved += pump_in(peer);
    if (peer->kind == PEER_SERVER)
        moved += pump_answer(peer);
    return moved + pump_half_close(peer);
}

static void close_both(struct peer *peer)
{
    if (peer->out >= 0 && peer->out != peer->in)
        close(peer->out);
    if (peer->in >= 0)
        close(peer->in);
    peer->in = peer->out = -1;
}

void peer_close(struct peer *peer)
{
    close_both(peer);
}

/* socket(7), SO_LINGER with a time of 0: close sends RST. */
void peer_reset(struct peer *peer)
{
    struct linger now = {1, 0};

    setsockopt(peer->in, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close_both(peer);
}

void peer_release(struct peer *peer)
{
    close_both(peer);
    for (size_t i = 0; i < peer->segments; i++)
        free((void *)peer->segment[i].bytes);
    free(peer->held);
    memset(peer, 0, sizeof(*peer));
    peer->in = peer->out = -1;
}
