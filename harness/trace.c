/* trace.c - the harness's side of the trace: make it, read it, wait on it. */
#define _GNU_SOURCE
#include "trace.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int trace_create(struct trace **trace)
{
    int fd = memfd_create("faultline-trace", MFD_CLOEXEC);

    if (fd < 0)
        return -1;
    if (ftruncate(fd, sizeof(**trace)) < 0)
        goto fail;
    *trace =
        mmap(NULL, sizeof(**trace), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (*trace == MAP_FAILED)
        goto fail;
    (*trace)->size = sizeof(**trace);
    return fd;
fail:
    close(fd);
    return -1;
}

void trace_unmap(struct trace *trace)
{
    munmap(trace, sizeof(*trace));
}

static uint32_t at_most(uint32_t value, uint32_t bound)
{
    return value < bound ? value : bound;
}

void trace_reset(struct trace *trace)
{
    uint32_t records = at_most(trace->entries, TRACE_RECORDS);
    uint32_t threads = at_most(trace->threads, TRACE_THREADS);

    memset(trace, 0, offsetof(struct trace, thread));
    memset(trace->thread, 0, threads * sizeof(trace->thread[0]));
    /* Serials begin at 1, so the first record lies at index 1. */
    memset(trace->record, 0,
           at_most(records + 1, TRACE_RECORDS) * sizeof(trace->record[0]));
    trace->size = sizeof(*trace);
}

void trace_wait(struct trace *trace, uint32_t seen, unsigned most_us)
{
    trace_wait_steps(trace, seen, 1, most_us);
}

void trace_wait_steps(struct trace *trace, uint32_t seen, uint32_t steps,
                      unsigned most_us)
{
    struct timespec most = {most_us / 1000000,
                            (long)(most_us % 1000000) * 1000};
    uint32_t bell = atomic_load(&trace->bell);

    atomic_store(&trace->wake_at, seen + steps);
    atomic_fetch_add(&trace->waiters, 1);
    if (atomic_load(&trace->seq) - seen < steps)
        syscall(SYS_futex, &trace->bell, FUTEX_WAIT, bell, &most, NULL, 0);
    atomic_fetch_sub(&trace->waiters, 1);
}

bool trace_get(struct trace *trace, uint32_t serial, struct trace_record *out)
{
    struct trace_record *record = &trace->record[serial % TRACE_RECORDS];

    if (serial == 0 || atomic_load(&record->serial) != serial)
        return false;
    memcpy(out, record, sizeof(*out));
    out->note[sizeof(out->note) - 1] = '\0';
    atomic_thread_fence(memory_order_acquire); /* the copy comes before */
    return atomic_load(&record->serial) == serial;
}

uint32_t trace_newest(struct trace *trace)
{
    return at_most(atomic_load(&trace->entries), INT32_MAX);
}

uint32_t trace_oldest(uint32_t newest)
{
    return newest > TRACE_RECORDS ? newest - TRACE_RECORDS : 0;
}

uint32_t trace_faults(const struct trace *trace)
{
    return at_most(trace->fault_count, FAULT_MAX);
}

bool trace_find_last(struct trace *trace, trace_match *match, const void *arg,
                     struct trace_record *out)
{
    uint32_t newest = trace_newest(trace);
    uint32_t oldest = trace_oldest(newest);

    for (uint32_t serial = newest; serial > oldest; serial--)
        if (trace_get(trace, serial, out) && match(out, arg))
            return true;
    return false;
}

bool trace_find_call(struct trace *trace, enum call_id call,
                     struct trace_record *out)
{
    uint32_t newest = trace_newest(trace);

    for (uint32_t serial = trace_oldest(newest) + 1; serial <= newest; serial++)
        if (trace_get(trace, serial, out) && out->call == call)
            return true;
    return false;
}

struct trace_thread *trace_thread_of(struct trace *trace, pid_t tid)
{
    uint32_t threads = at_most(atomic_load(&trace->threads), TRACE_THREADS);

    for (uint32_t i = 0; i < threads; i++)
        if (atomic_load(&trace->thread[i].tid) == tid)
            return &trace->thread[i];
    return NULL;
}

static void change(_Atomic uint32_t *futex, uint32_t value)
{
    atomic_store(futex, value);
    syscall(SYS_futex, futex, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

void trace_open_gate(struct trace *trace, unsigned index)
{
    change(&trace->fault[index].gate, 1);
}

void trace_let_begin(struct trace *trace, uint32_t most)
{
    change(&trace->begun_most, most);
}
