/* 6_threaded.h - the plays of step 6, which its table names.
 *
 * 6_threaded.c holds the table; the plays are told apart by what they try:
 * serving, failures of calls and clients, the end.
 */
#ifndef FAULTLINE_6_THREADED_H
#define FAULTLINE_6_THREADED_H

#include "../play.h"

/* 6_threaded_serve.c */
void threaded_listens(struct play *play);
void threaded_echoes(struct play *play);
void threaded_says_why_not(struct play *play);
void threaded_restarts(struct play *play);
void threaded_drains(struct play *play);
void threaded_short_calls(struct play *play);
void threaded_interrupted(struct play *play);
void threaded_silent_and_slow(struct play *play);
void threaded_a_thread_each(struct play *play);
void threaded_stuck_reader(struct play *play);
void threaded_own_descriptor(struct play *play);
void threaded_own_buffer(struct play *play);
void threaded_keeps_memory(struct play *play);
void threaded_idles(struct play *play);

/* 6_threaded_failure.c */
void threaded_no_thread(struct play *play);
void threaded_no_thread_closes(struct play *play);
void threaded_accept_fails(struct play *play);
void threaded_no_descriptors(struct play *play);
void threaded_reset(struct play *play);
void threaded_vanished(struct play *play);
void threaded_no_memory(struct play *play);
void threaded_keeps_descriptors(struct play *play);
void threaded_closes_once(struct play *play);

/* 6_threaded_end.c */
void threaded_ends(struct play *play);
void threaded_counts_ended(struct play *play);
void threaded_ends_while_busy(struct play *play);
void threaded_blocks_signals(struct play *play);
void threaded_counts_written(struct play *play);

#endif
