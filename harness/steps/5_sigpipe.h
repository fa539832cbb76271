/* 5_sigpipe.h - clients that vanish, and what came of it. */
#ifndef FAULTLINE_STEPS_SIGPIPE_H
#define FAULTLINE_STEPS_SIGPIPE_H

#include "server.h"

/* A client that has got one byte back and stays. */
struct peer *served_client(struct play *play);

/* Each comes, is served and vanishes: RST at once; FIN, then RST, which the
 * server's next write meets; the same behind a write that the row's plan has
 * cut short; RST while the server waits for room in a write. */
struct peer *client_resets(struct play *play);
struct peer *client_fin_then_rst(struct play *play);
struct peer *client_leaves_behind_a_short_write(struct play *play);
struct peer *client_resets_a_blocked_write(struct play *play);

/* Did the kernel answer a read or write of the connection with a failure?
 * Asked at rest, with the client gone. */
bool connection_broke(struct play *play, const struct peer *peer);

/* No child has died by a signal over that connection. */
void expect_no_killed_child(struct play *play, const struct peer *peer);

#endif
