/* forking.h - what the steps with a process for each connection share: who
 * holds which socket, and the plays of the rules that both repeat.
 *
 * A server may have processes that serve nobody (a helper, a spare one):
 * counts are held against those of the same server without clients. A child
 * may be a grandchild (double fork).
 */
#ifndef FAULTLINE_FORKING_H
#define FAULTLINE_FORKING_H

#include "../play.h"

/* Starts the server. Returns how many processes it has without a client. */
unsigned forking_serve(struct play *play);

/* A fresh client that has been served: connected, and a line echoed. What the
 * parent and its threads have to do then is done, too. */
struct peer *forking_client(struct play *play);

/* It half-closes and sees the end; the server has taken notice. */
void forking_leave(struct play *play, struct peer *client);

/* At rest, the server runs with so many processes. */
void forking_expect_processes(struct play *play, unsigned count);

/* Ends the process that serves the client by SIGKILL. */
void forking_kill_child_of(struct play *play, const struct peer *client);

/* Does the server wait in calls that SIGSTOP and SIGCONT leave waiting? Some
 * fail with EINTR then, even without a handler: signal(7). */
bool forking_can_be_stopped(struct play *play);

/* The plays. */
void forking_listens(struct play *play);
void forking_echoes_a_line(struct play *play);
void forking_short_calls(struct play *play);
void forking_silent_and_slow(struct play *play);
void forking_parent_keeps_none(struct play *play);
void forking_child_keeps_its_own(struct play *play);
void forking_reset(struct play *play);
void forking_fork_fails(struct play *play);
void forking_accept_fails(struct play *play);
void forking_no_descriptors(struct play *play);

#endif
