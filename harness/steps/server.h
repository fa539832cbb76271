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

/* How many bytes just fill a buffer of a usual size, of which there are so
 * many: who takes a full buffer for the promise of more waits in vain. */
#define SERVER_FULL_BUFFERS 9
size_t server_full_buffer(size_t i);

/* Start: they need no plan. */
void server_listens(struct play *play);
void server_refuses_wrong_arguments(struct play *play);
void server_says_why_it_cannot_listen(struct play *play);
void server_listens_on_all_addresses(struct play *play);
void server_restarts_at_once_on_its_port(struct play *play);

/* The row for wrong arguments. */
/* clang-format off */
#define SERVER_ARGUMENTS(POINTS)                                               \
    {.name = "refuses_wrong_arguments", .obligation = OBLIGATION_startup,      \
     .points = POINTS,                                                         \
     .why = "Who calls it wrongly is told so on stderr: usage and status 2, "  \
            "a port that is none and status 1: exit(3).",                      \
     .hint = "atoi(3) cannot say that it was given a word, or a number and "   \
             "more; getaddrinfo(3) can, and leaves no list then.",             \
     .play = server_refuses_wrong_arguments}
/* clang-format on */

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

/* A write takes a part, and the next one, for the rest, is interrupted: does
 * the part go out once? Who serves no second client, or cannot bear an
 * interruption, is told so elsewhere. */
void server_goes_on_behind_a_short_write(struct play *play);

/* The echo comes, or the connection ends: what a client of a server may
 * expect that ran out of something. */
void server_expect_answer(struct play *play, struct peer *client);

/* play_serve(), and nobody comes for a minute: time-outs run out. */
void server_waits_for_a_client(struct play *play);

/* The row's plan makes a call on the next client's connection fail: that is its
 * end. Returns the client. */
struct peer *server_loses_a_client(struct play *play);

/* The row's plan makes accept fail for want of something: the first client
 * may be turned away, the next is served. Then by a real shortage of
 * descriptors; then malloc. */
void server_a_shortage_costs_one_client(struct play *play);
void server_waits_while_out_of_descriptors(struct play *play);
void server_a_failed_malloc_costs_one_client(struct play *play);

/* Clients come until a call of that plan has failed, and two more: one of them
 * all may be lost by it. What the program never calls cannot fail. */
void server_loses_one_at_most(struct play *play, const char *plan);

/* Of a server at rest: one client resets while it waits to be accepted, the one
 * ahead of it and the next are served. */
void server_loses_a_client_before_accept(struct play *play);

/* Signals come that the server has handlers for, those that ask for its end at
 * last: what do these call? The other two are for a play of a step's own:
 * the signals alone, and what was called so far. */
void server_calls_only_safe_functions_in_handlers(struct play *play);
void server_gets_every_signal_it_handles(struct play *play);
void server_expect_safe_handlers(struct play *play);

/* The row for it. */
/* clang-format off */
#define SERVER_HANDLERS(NEEDS)                                                 \
    {.name = "calls_only_safe_functions_in_handlers",                          \
     .obligation = OBLIGATION_handler, .points = 0.25,                         \
     .why = "A signal may come in the middle of printf(3) or malloc(3), and "  \
            "a handler that calls them then finds their data half changed: "   \
            "signal-safety(7).",                                               \
     .hint = "Which functions may a handler call? To set a flag needs none.",  \
     .play = server_calls_only_safe_functions_in_handlers, .needs = NEEDS}
/* clang-format on */

/* Nobody comes for a minute; one client is served, another stays silent:
 * does it wait, or look again and again? */
void server_does_nothing_while_nothing_happens(struct play *play);

/* The row for it. */
/* clang-format off */
#define SERVER_IDLE(NEEDS)                                                     \
    {.name = "does_nothing_while_nothing_happens",                             \
     .obligation = OBLIGATION_idle, .points = 0.25,                            \
     .why = "Who looks again and again whether something has happened takes "  \
            "the processor from others; who waits in a call costs nothing: "   \
            "accept(2), poll(2).",                                             \
     .hint = "Which call could wait for what the loop looks for?",             \
     .play = server_does_nothing_while_nothing_happens, .needs = NEEDS}
/* clang-format on */

/* A client comes, gets `len` letters (at most 16 KiB) back, and goes: in order
 * or by a reset. */
void server_visit(struct play *play, size_t len, bool resets);

#endif
