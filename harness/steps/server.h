/* server.h - plays that try what every server of the course must do: a step
 * names them in its table, or builds on them.
 */
#ifndef FAULTLINE_STEPS_SERVER_H
#define FAULTLINE_STEPS_SERVER_H

#include "../play.h"

/* What a small client that does not read has to send until the server waits
 * in a write: its send buffer is full with some 60 to 90 KiB. What is left
 * finds room in its receive buffer, so that nothing stays under way. */
#define SERVER_STALL (112 * KIB)

/* Start: they need no plan. */
void server_listens(struct play *play);
void server_refuses_wrong_arguments(struct play *play);
void server_says_why_it_cannot_listen(struct play *play);
void server_listens_on_all_addresses(struct play *play);
void server_restarts_at_once_on_its_port(struct play *play);

/* Another client is served, from its connect to its end. */
void server_serves_another(struct play *play);

/* Echo. A plan for the writes of connection 1 makes the drain harder. */
void server_echoes_a_line(struct play *play);
void server_echoes_before_the_end(struct play *play);
void server_echoes_any_number_of_any_bytes(struct play *play);
void server_drains_after_a_half_close(struct play *play);

/* One client's whole visit, its calls bent by the row's plan: nobody sees
 * it; the second expects that all of the plan came true. */
void server_costs_nothing(struct play *play);
void server_a_failed_accept_costs_nothing(struct play *play);

/* The row's plan makes accept fail for want of something: the first client
 * may be turned away, the next is served. Then by a real shortage of
 * descriptors; then malloc. */
void server_a_shortage_costs_one_client(struct play *play);
void server_waits_while_out_of_descriptors(struct play *play);
void server_a_failed_malloc_costs_one_client(struct play *play);

/* A client comes, gets `len` letters (at most 16 KiB) back, and goes: in order
 * or by a reset. */
void server_visit(struct play *play, size_t len, bool resets);

#endif
