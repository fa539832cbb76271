/* 1_client.h - what the plays of step 1 share, and their names for the table
 * in 1_client.c. */
#ifndef FAULTLINE_STEP_CLIENT_H
#define FAULTLINE_STEP_CLIENT_H

#include "../play.h"

/* Plays wait by play_settle(): that a client spins is one case's matter. */

/* The client between its two ends. */
struct talk {
    struct peer *user;   /* at its stdin and stdout: pipes, or a terminal */
    struct peer *server; /* its connection; closes when the client has */
};

/* A server listens, the client is started and connects to it. */
struct talk client_talks(struct play *play, enum peer_answer answer);
struct talk client_talks_on_a_terminal(struct play *play);

/* The user types text that ends with a newline: as a long one, numbered
 * lines of 16 bytes each. */
void types_lines(struct play *play, struct peer *user, size_t len);

/* The echo has come; where nothing at all was shown by the time that the
 * program rests, at the end of stdin at the latest: a client that shows
 * nothing before is another case's matter. */
void expect_echo_at_last(struct play *play, struct peer *user);

/* The program rests, and has shown nothing: the server has sent nothing. */
void expect_nothing_shown(struct play *play, struct peer *user);

/* 1_client_start.c */
void connects(struct play *play);
void tells_its_usage(struct play *play);
void refuses_an_unknown_host(struct play *play);
void refuses_an_unknown_port(struct play *play);
void says_why_it_cannot_connect(struct play *play);
void tries_every_address_in_order(struct play *play);
void connects_by_ipv6(struct play *play);
void survives_a_host_that_refuses(struct play *play);

/* 1_client_end.c */
void exits_with_0_when_all_came_back(struct play *play);
void needs_no_server_once_all_came_back(struct play *play);
void waits_for_the_rest_of_the_echo(struct play *play);
void ends_on_empty_input(struct play *play);
void fails_when_the_echo_is_cut_off(struct play *play);
void notices_the_end_while_stdin_is_open(struct play *play);
void notices_a_reset(struct play *play);
void gives_up_on_a_dead_connection(struct play *play);
void survives_a_server_that_vanishes(struct play *play);

#endif
