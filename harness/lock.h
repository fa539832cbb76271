/* lock.h - who holds the lock that a thread waits for.
 *
 * The kernel shows the address of a mutex that a thread waits for (futex(2)),
 * the mutex itself who has locked it: glibc keeps the thread's id in it.
 */
#ifndef FAULTLINE_LOCK_H
#define FAULTLINE_LOCK_H

#include "census.h"

/* The id of the thread that has locked the mutex that this one waits for
 * without a time-out; it may have ended meanwhile. 0: it waits for no mutex, or
 * for one of a kind that is not known here, or that cannot be read. A lock that
 * is no mutex has no owner: an id that is no thread of the program's means
 * nothing. */
pid_t lock_holder(const struct census_thread *thread);

/* Is the lock that this thread waits for one of its process's own? Then a
 * holder in another one had it when this was forked, and this is a copy:
 * futex(2), FUTEX_PRIVATE_FLAG. */
bool lock_is_private(const struct census_thread *thread);

#endif
