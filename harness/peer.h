/* peer.h - the other end of the wire: what talks to the program.
 *
 * A peer is a scripted client, a scripted server, or the user at the
 * program's stdin and stdout. It never blocks: what it has to send waits in
 * a queue, and peer_pump() moves what can be moved. Each byte that comes is
 * held at once against the byte that is due.
 *
 * Must not know: cases, verdicts.
 */
#ifndef FAULTLINE_PEER_H
#define FAULTLINE_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define PEER_SEGMENTS 64

/* What comes back must be the bytes that went out, in order. */
enum peer_kind {
    PEER_CLIENT, /* a TCP client of the program */
    PEER_SERVER, /* an accepted connection of the program's, answering it */
    PEER_USER,   /* at the program's stdin and stdout */
};

/* How a server peer answers. */
enum peer_answer {
    ANSWER_NOTHING,  /* takes what comes, says nothing of itself */
    ANSWER_ECHO,     /* RFC 862, as fast as it can */
    ANSWER_BLOCKING, /* reads no more until all that it read is sent back */
    ANSWER_PIECES,   /* the echo in pieces: 1 byte, 2 bytes, 3 bytes ... */
};

/* A stretch of the stream that goes out. */
struct peer_segment {
    uint64_t start;
    uint64_t len;
    const char *bytes; /* owned by the peer; NULL: the peer's own pattern */
};

struct peer {
    enum peer_kind kind;
    int number;           /* 1, 2, 3 ... in the order of connecting */
    int in, out;          /* descriptors; the same for a socket; -1: closed */
    uint16_t port;        /* our own */
    uint16_t remote_port; /* the program's */
    struct sockaddr_storage local, remote; /* the same with addresses */
    bool connected;
    bool reading;    /* false: takes nothing from the wire */
    bool half_close; /* shut down once all is sent */
    bool half_closed;
    bool discards;      /* does not compare what comes */
    uint64_t read_most; /* takes no more than this, in all */

    struct peer_segment segment[PEER_SEGMENTS];
    size_t segments;
    uint64_t queued;   /* bytes that shall go out */
    uint64_t sent;     /* of them, taken by the kernel */
    uint64_t received; /* bytes that came back */
    bool eof;          /* the program closed in order */
    int error;         /* errno that broke the connection; 0: none */
    bool over;         /* for the kernel, too: nothing comes or goes any more */
    bool differs;      /* a byte came that was not due: */
    uint64_t differs_at;
    unsigned char differs_due, differs_came;

    enum peer_answer answer;
    char *held; /* server: what it read and owes */
    size_t held_len, held_at;
    uint64_t piece;
};

/* Makes a TCP socket bound to a port of its own on that numeric address and
 * starts to connect. `port_known(arg, port)` is called before the first
 * packet leaves. Returns 0, or -1 with errno. */
int peer_connect(struct peer *peer, const char *addr, uint16_t port,
                 int receive_buffer_bytes,
                 void (*port_known)(void *arg, uint16_t port), void *arg);

/* Takes over an accepted connection, as a server peer. */
void peer_accepted(struct peer *peer, int fd, enum peer_answer answer);

/* The user: `out` is the program's stdin, `in` its stdout. */
void peer_user(struct peer *peer, int in, int out);

/* Queues bytes (copied) or `len` bytes of the peer's pattern: all 256
 * values, different for each peer. Returns 0, or -1 with errno. */
int peer_queue(struct peer *peer, const void *bytes, size_t len);
int peer_queue_pattern(struct peer *peer, uint64_t len);

/* The byte at that place of the stream that goes out. */
unsigned char peer_byte(const struct peer *peer, uint64_t at);

/* Moves what can be moved without waiting. Returns how many bytes moved;
 * ends of the connection count as one. */
uint64_t peer_pump(struct peer *peer);

/* Would it take bytes, if some came? */
bool peer_takes(const struct peer *peer);

/* Ends: in order; with RST at once; with FIN, then RST when more comes. */
void peer_close(struct peer *peer);
void peer_reset(struct peer *peer);

/* Frees it, closing what is open. */
void peer_release(struct peer *peer);

#endif
