/* lock.c - see lock.h */
#define _GNU_SOURCE
#include "lock.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/uio.h>

/* The word of a mutex that others wait for: glibc, lowlevellock.h. Conditions,
 * semaphores and joins wait by FUTEX_WAIT_BITSET. */
#define LOCKED_AND_WAITED_FOR 2

static bool waits_for_mutex(const struct census_thread *thread)
{
    return thread->syscall == SYS_futex &&
           (thread->arg[1] & FUTEX_CMD_MASK) == FUTEX_WAIT &&
           thread->arg[2] == LOCKED_AND_WAITED_FOR && thread->arg[3] == 0;
}

static pid_t owner_of(pid_t tid, uint64_t address)
{
    pthread_mutex_t mutex;
    struct iovec here = {&mutex, sizeof(mutex)};
    struct iovec there = {(void *)(uintptr_t)address, sizeof(mutex)};

    return process_vm_readv(tid, &here, 1, &there, 1, 0) == sizeof(mutex)
               ? mutex.__data.__owner
               : 0;
}

pid_t lock_holder(const struct census_thread *thread)
{
    return waits_for_mutex(thread) ? owner_of(thread->tid, thread->arg[0]) : 0;
}

bool lock_is_private(const struct census_thread *thread)
{
    return thread->arg[1] & FUTEX_PRIVATE_FLAG;
}
