/* play.h - the vocabulary of the cases; the only header that steps include.
 *
 * A play starts the program, lets peers talk to it, makes chosen calls fail
 * or wait, and says what it expects. An expectation that does not hold
 * records the verdict and ends the play; what was started is stopped by the
 * kit. Nothing here sleeps: a play waits until what it waits for has come,
 * or until the program is proved to be at rest without it.
 *
 * Peers live as long as the play. Connections are numbered from 1 in the
 * order of play_client(), which is the number that fault plans know.
 */
#ifndef FAULTLINE_PLAY_H
#define FAULTLINE_PLAY_H

#include "census.h"
#include "peer.h"
#include "step.h"
#include "trace.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#define KIB 1024u
#define MIB (1024u * 1024u)

struct play;

/* ---- The program ---- */

/* Starts the server on a fresh port and waits until it listens. */
void play_serve(struct play *play);

/* Until the server, which listens, waits for clients; or will not. It may
 * listen at a second address before. */
void play_await_clients(struct play *play);

/* Starts the program with these arguments behind its name (NULL at the end):
 * stdin is /dev/null, nothing is waited for. */
void play_start(struct play *play, const char *const *args);

/* The same with the user at its stdin and stdout, through pipes or through a
 * pseudo-terminal. The peer is the user: play_send() types, what comes to
 * stdout must be what was typed (the echo). */
struct peer *play_start_user(struct play *play, const char *const *args,
                             bool terminal);

/* The port of this case, as a number and as text. */
uint16_t play_port(const struct play *play);
const char *play_port_text(const struct play *play);

/* Starts the server again on the port it had. The old one must have ended:
 * see play_stop(). Waits until it listens. */
void play_serve_again(struct play *play);

/* Sends a signal to the program's first process. */
void play_signal(struct play *play, int signal);

/* Ends the program, where it still runs, with SIGTERM (SIGKILL where it does
 * not obey). */
void play_stop(struct play *play);

/* How many descriptors the program may have from now on (RLIMIT_NOFILE);
 * a limit of 0 means: none beyond those that it has. Call before play_serve()
 * for its start, or while it runs. play_free_descriptors() lifts the limit
 * that was set while it ran. */
void play_limit_descriptors(struct play *play, unsigned descriptors);
void play_free_descriptors(struct play *play);

/* The program is started with the descriptors from `first` to below `end`
 * taken, inherited from whoever started it: so a few clients reach a high
 * one. Call before play_serve(). */
void play_take_descriptors(struct play *play, unsigned first, unsigned end);

/* Makes accept fail for want of descriptors, by a real limit: a blocked
 * accept has its descriptor already, so clients come (and go) until one call
 * has failed. From then on every accept fails, until
 * play_free_descriptors(). Returns the last client where it still waits,
 * else NULL: nobody does, or each is accepted, since what the server is short
 * of is the next descriptor that it wants for a client, or another process's,
 * or there are free ones below its highest. */
struct peer *play_exhaust_descriptors(struct play *play);

/* Stops a process (SIGSTOP), returns when it is stopped; continues it. Not
 * inside epoll_wait, sigwaitinfo or a timed call on a socket: those fail
 * with EINTR then, even without a handler. Use a gate there. */
void play_freeze(struct play *play, pid_t pid);
void play_thaw(struct play *play, pid_t pid);

/* ---- Peers ---- */

/* A client connects: returned when the kernel has connected it. */
struct peer *play_client(struct play *play);

/* The same to (and from) that numeric address of this machine; from IPv6
 * loopback; or with small buffers: a receive buffer of so many bytes, and
 * small segments, which keeps the program's send buffer small too. */
struct peer *play_client_at(struct play *play, const char *addr);
struct peer *play_client_ipv6(struct play *play);
struct peer *play_client_small(struct play *play, int receive_buffer_bytes);

/* A client that connects while nobody need answer; not waited for. */
struct peer *play_client_later(struct play *play);

/* A server of the harness listens for the program on that numeric address
 * (port: play_port()); play_refuses() keeps the port shut there. */
void play_listen(struct play *play, const char *addr);

/* The same, and little fits into a connection: some `buffer_bytes` at the
 * server, and not much more at the program. */
void play_listen_small(struct play *play, const char *addr, int buffer_bytes);

/* The program's connection to it, when it comes: answered so. */
struct peer *play_accept(struct play *play, enum peer_answer answer);

/* Host name `host` resolves to these numeric addresses, in that order (NULL
 * at the end; none at all: an unknown host). */
void play_host(struct play *play, const char *host, const char *const *addrs);

/* Queues bytes; they go out as the wire takes them. */
void play_send(struct play *play, struct peer *peer, const char *text);
void play_send_bytes(struct play *play, struct peer *peer, const void *bytes,
                     size_t len);
/* `len` bytes of every value, each peer its own. */
void play_send_pattern(struct play *play, struct peer *peer, uint64_t len);

/* Half-closes behind what is queued; the user: end of stdin. */
void play_half_close(struct play *play, struct peer *peer);

/* Stops taking what comes; takes it again. */
void play_pause(struct play *play, struct peer *peer);
void play_resume(struct play *play, struct peer *peer);

/* Has the program's stdout take a MiB of what nobody reads yet, pipe(7), where
 * the machine lets it: whether 64 KiB fill is a matter of who is quicker. */
void play_widen_output(struct peer *user);

/* Leaves as one who does not wait for the answer: FIN, and RST to whatever
 * still comes. Or with RST, which has arrived when this returns. */
void play_close(struct play *play, struct peer *peer);
void play_reset(struct play *play, struct peer *peer);

/* Until the reset of a peer that has left is known to the program's kernel:
 * its next write there fails. The reset must be on its way. */
void play_reset_arrives(struct play *play, struct peer *peer);

/* ---- Failures and gates ---- */

/* Adds faults to the plan (fault.h), beside those of the case's row. Returns
 * the number of the first, for play_held() and play_release(). Before or
 * while the program runs. */
unsigned play_fault(struct play *play, const char *plan);

/* Ends a failure that was planned to last (fork#1..=EAGAIN): from now on the
 * calls succeed. */
void play_fault_ends(struct play *play, unsigned fault);

/* Waits until that peer, which does not read, has no room for more: the kernel
 * tells of little room late, and finds it when it probes (RFC 9293, 3.8.6). */
void play_no_room(struct play *play, const struct peer *peer);

/* How many bytes the kernel keeps, either way, for connections that the program
 * makes or accepts from now on: socket(7), SO_SNDBUF, SO_RCVBUF. 0: as many as
 * it likes, which may be more today than yesterday. */
void play_kernel_buffers(struct play *play, unsigned send, unsigned receive);

/* Time flies: what the program pauses for, or how long it waits for descriptors
 * at the most, is over at once, until so many ms of either are used up. 0: no
 * more. What has begun lasts as long as it does. */
void play_let_time_fly(struct play *play, unsigned pauses_ms,
                       unsigned waits_ms);

/* Waits until `callers` are held at the gate of that fault. */
void play_held(struct play *play, unsigned fault, unsigned callers);
bool play_is_held(struct play *play, unsigned fault);
void play_release(struct play *play, unsigned fault);

/* Every fault of the plan (gates too) must have fired: else the case proved
 * nothing. Where it has not, the verdict is the program's: it never made
 * the call. `what` says in words what it should have done. */
void expect_fired(struct play *play, const char *what);

/* Did that fault fire? */
bool play_fired(struct play *play, unsigned fault);

/* Did a fault of that peer's connection? */
bool play_fired_for(struct play *play, const struct peer *peer);

/* ---- Waits ---- */

/* Until the program is at rest: all that it had to do is done. Fails with
 * "spins" where it never comes to rest. */
void play_rest(struct play *play);

/* The same where rest itself is not the question: a program that spins has
 * done, by now, what it is going to do. */
void play_settle(struct play *play);

/* The same before the next client comes: who goes on and on has seen, after a
 * hundred calls, what there was. */
void play_settle_soon(struct play *play);

/* Until `count` connections have been accepted in all. */
void play_accepted(struct play *play, unsigned count);

/* The same, or until an accept has failed. Returns whether it is the former. */
bool play_accepted_or_full(struct play *play, unsigned count);

/* Until accept has failed `count` times in all. */
void play_accept_failed(struct play *play, unsigned count);

/* Until a condition of the case's own holds; fails with these words where the
 * program comes to rest without it. */
void expect_that(struct play *play, bool (*holds)(struct play *, void *),
                 void *arg, const char *expected);

/* ---- Expectations ---- */

/* All that the peer queued has come back, and nothing else. */
void expect_echo(struct play *play, struct peer *peer);

/* Words that end a connection elsewhere come back like any, each by itself. */
void expect_no_commands(struct play *play, struct peer *peer);

/* The first `len` bytes have come back. */
void expect_bytes(struct play *play, struct peer *peer, uint64_t len);

/* The program closes in order / closes or breaks / keeps the connection open
 * once it is at rest. */
void expect_eof(struct play *play, struct peer *peer);
void expect_gone(struct play *play, struct peer *peer);
void expect_open(struct play *play, struct peer *peer);

/* A server peer has seen all of what the user typed / the half-close. */
void expect_arrived(struct play *play, struct peer *server, uint64_t len);
void expect_half_close(struct play *play, struct peer *server);

/* A fresh client is served: connects, is echoed, half-closes, sees EOF. */
void expect_serves(struct play *play);

/* The program ends by itself with that status; with one but 0 (which must be
 * 1) it has said why on stderr. */
void expect_exit(struct play *play, int status);
void expect_message(struct play *play);

/* Its message gives this errno as the reason: strerror(3)'s words, or the
 * name. */
void expect_reason(struct play *play, int error);

/* No signal has killed the program: it runs, or has ended by itself. */
void expect_no_signal(struct play *play);

/* The program still runs. */
void expect_alive(struct play *play);

/* The n-th line (from 1) of stdout that begins with `prefix` is `line`; no
 * more than `count` lines begin so, once it is at rest. */
void expect_line(struct play *play, const char *prefix, unsigned n,
                 const char *line);
void expect_line_count(struct play *play, const char *prefix, unsigned count);

/* Processes of the program (zombies aside) and zombies; threads of its first
 * process; children of the first process. Waited for. */
void expect_processes(struct play *play, unsigned count);
void expect_no_zombies(struct play *play);
void expect_threads(struct play *play, unsigned count);
unsigned play_processes(struct play *play);

/* Remembers the descriptors of the first process; expects the same number
 * again. */
void play_count_descriptors(struct play *play);
void expect_same_descriptors(struct play *play);

/* While a shortage lasts: at most 200 calls and 30 % of a core a second. */
void expect_no_spin(struct play *play);

/* While nothing happens: at most 20 wake-ups a second. */
void expect_idle(struct play *play);

/* Ends the play with a verdict of the case's own. */
__attribute__((noreturn, format(printf, 3, 4))) void
play_fail(struct play *play, const char *expected, const char *came, ...);

/* A play looks at more than one thing: the why and the hint for what fails from
 * here on, in place of the row's. NULL: the row's. Literals. */
void play_explain(struct play *play, const char *why, const char *hint);

/* What the next play_fail() points at. By itself: a spin, the end of a
 * program that died, the call that was made to fail, what it did with the
 * connection in question, where it hangs. Nothing: the fault is an absence.
 * The others: the call behind what is wrong there. */
enum play_blame {
    BLAME_BY_ITSELF,
    BLAME_NOTHING,
    BLAME_UNSAFE,     /* the first unsafe call in a handler */
    BLAME_ERRNO,      /* the call in a handler that left its errno */
    BLAME_CHILDREN,   /* what it did last about its children */
    BLAME_PROCESSES,  /* where a process lingers */
    BLAME_GONE,       /* a process too few: the last exit of a child */
    BLAME_THREADS,    /* the thread too many */
    BLAME_DESCRIPTOR, /* the last use of a descriptor that it still holds */
    BLAME_HOLDER,     /* the same of a connection, by who holds it */
    BLAME_BYTES,      /* where a wrong byte went out */
    BLAME_RESET,      /* what made its own close a reset */
    BLAME_START,      /* the failure, or else the bind, before it listens */
    BLAME_LISTENER,   /* why a client cannot connect */
    BLAME_END,        /* an end that does not come, or comes wrong */
    BLAME_EXIT,       /* the end; where none comes, nothing */
    BLAME_MEMORY,     /* the one place that allocates */
    BLAME_WAKE,       /* the wait or pause that ended last */
    BLAME_LINE,       /* the line that was printed, or was not */
    BLAME_STATUS,     /* the same, where children's ends tell what to print */
};
void play_blame(struct play *play, enum play_blame blame);

/* It points at the last call of that process on the peer's connection. */
void play_blame_process(struct play *play, pid_t pid, const struct peer *peer);

/* ---- What a case may look at ---- */

bool play_has_ipv6(void);

pid_t play_pid(const struct play *play); /* its first process */
struct trace *play_trace(struct play *play);
const char *play_output(struct play *play); /* stdout so far, at most 1 MiB */
const char *play_errors(struct play *play); /* stderr so far */

/* The processes that serve: all but the first, oldest first; at most `most`.
 * Returns how many. */
size_t play_children(struct play *play, pid_t *pids, size_t most);

/* Does that process hold a socket of the connection with `peer` (NULL: one
 * that listens on the play's port)? */
bool play_holds(const struct play *play, pid_t pid, const struct peer *peer);

/* Adds a line to the story that a failed case tells. */
__attribute__((format(printf, 2, 3))) void play_tell(struct play *play,
                                                     const char *format, ...);

#endif
