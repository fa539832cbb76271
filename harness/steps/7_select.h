/* 7_select.h - the plays of the step select, shared between its files. */
#ifndef FAULTLINE_7_SELECT_H
#define FAULTLINE_7_SELECT_H

#include "../play.h"
#include "server.h"

/* One more line for a client that has been served all along. */
void select_still_serves(struct play *play, struct peer *client);

/* A client that is served, and stays: the one that must notice nothing. */
struct peer *select_bystander(struct play *play);

/* A client that offers so many bytes, reads nothing, and has been stalled:
 * the program is at rest. */
struct peer *select_stalled_client(struct play *play, uint64_t bytes);

/* It sends no more than has left it, and reads at last. */
void select_reads_at_last(struct play *play, struct peer *client);

/* 7_select_few.c */
void select_says_why_it_cannot_listen(struct play *play);
void select_restarts_at_once(struct play *play);
void select_listens_on_all_addresses(struct play *play);
void select_echoes_a_line(struct play *play);
void select_echoes_any_bytes(struct play *play);
void select_drains_a_half_close(struct play *play);
void select_keeps_output_at_end_of_file(struct play *play);
void select_survives_the_plan(struct play *play);
void select_survives_a_reset(struct play *play);
void select_survives_a_broken_connection(struct play *play);
void select_forgets_the_bytes_of_a_dead_client(struct play *play);
void select_survives_a_vanished_client(struct play *play);
void select_closes_every_descriptor(struct play *play);
void select_survives_a_client_gone_before_accept(struct play *play);
void select_survives_failing_accept(struct play *play);
void select_waits_for_a_free_descriptor(struct play *play);
void select_waits_for_the_system(struct play *play);

/* 7_select_load.c */
void select_serves_many_at_once(struct play *play);
void select_takes_all_who_wait(struct play *play);
void select_is_one_process_with_one_thread(struct play *play);
void select_serves_others_beside_a_client_that_does_not_read(struct play *play);
void select_loses_no_byte_of_a_client_that_reads_late(struct play *play);
void select_serves_who_comes_and_who_goes(struct play *play);
void select_stops_reading_from_a_client_that_does_not_read(struct play *play);
void select_keeps_nothing_of_connections_that_ended(struct play *play);
void select_does_nothing_while_clients_are_silent(struct play *play);
void select_does_nothing_while_a_client_does_not_read(struct play *play);
void select_keeps_nothing_of_clients_that_it_refuses(struct play *play);
void select_survives_descriptors_above_fd_setsize(struct play *play);
void select_survives_failing_malloc(struct play *play);

#endif
