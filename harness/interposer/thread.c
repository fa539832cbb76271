/* thread.c - threads: pthread_create(3), pthread_detach(3), pthread_join(3),
 * pthread_tryjoin_np(3), and the same of C11's threads.h; pthread_once(3). */
#include "interposer.h"
#include "under_valgrind.h"

#include <string.h>

static _Atomic uint32_t threads = 1; /* in this process; main is the first */

struct start {
    void *(*routine)(void *);
    thrd_start_t c11_routine; /* instead */
    void *arg;
    uint16_t thread;
    uint16_t process;
};

/* A play can hold a new thread here, before its first instruction: what its
 * creator left lying for it must still be there later. */
static struct start begin(void *arg)
{
    struct start start = *(struct start *)arg;

    real.free(arg);
    self.slot = NULL;
    self_is_thread(start.thread);
    self.slot->process = start.process;
    struct call c = CALL(thread_start, -1, start.thread, 0);
    call_end(&c, 0);
    return start;
}

/* However it ends: by return, pthread_exit(3) or pthread_cancel(3). */
static void note_end(void *thread)
{
    ANNOTATE_HAPPENS_BEFORE(thread);
}

static void *run_thread(void *arg)
{
    struct start start = begin(arg);
    void *result;

    if (!RUNNING_ON_VALGRIND)
        return start.routine(start.arg);
    pthread_cleanup_push(note_end, (void *)pthread_self());
    result = start.routine(start.arg);
    pthread_cleanup_pop(1);
    return result;
}

static int run_c11_thread(void *arg)
{
    struct start start = begin(arg);

    return start.c11_routine(start.arg);
}

/* A thread of libfiu's own: neither seen nor made to fail. */
static void *run_unseen(void *arg)
{
    struct start start = *(struct start *)arg;

    real.free(arg);
    self.asking = 1;
    return start.routine(start.arg);
}

static int create_unseen(pthread_t *thread, const pthread_attr_t *attr,
                         void *(*routine)(void *), void *arg)
{
    struct start *start = real.malloc(sizeof(*start));

    if (!start)
        return EAGAIN;
    *start = (struct start){.routine = routine, .arg = arg};
    int error = real.pthread_create(thread, attr, run_unseen, start);
    if (error)
        real.free(start);
    return error;
}

/* What a new thread of the program gets to know. NULL: no memory. */
static struct start *prepare(struct start start)
{
    struct start *copy = real.malloc(sizeof(*copy));

    if (!copy)
        return NULL;
    start.thread = (uint16_t)(atomic_fetch_add(&threads, 1) + 1);
    start.process = self.slot ? self.slot->process : 1;
    *copy = start;
    return copy;
}

static int create(struct call *c, pthread_t *thread, const pthread_attr_t *attr,
                  void *(*routine)(void *), void *arg)
{
    struct start *start =
        prepare((struct start){.routine = routine, .arg = arg});

    if (!start)
        return call_end_error(c, EAGAIN);
    int error = real.pthread_create(thread, attr, run_thread, start);
    if (error)
        real.free(start);
    return call_end_error(c, error);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                   void *(*routine)(void *), void *arg)
{
    struct call c = CALL(pthread_create, -1, 0, 0);

    if (self.asking)
        return create_unseen(thread, attr, routine, arg);
    if (!trace)
        return real.pthread_create(thread, attr, routine, arg);
    if (call_fails(&c)) {
        /* pthread_create(3): *thread is undefined then. No thread is this. */
        memset(thread, 0xa5, sizeof(*thread));
        return call_end_error(&c, c.value); /* returned, not in errno */
    }
    return create(&c, thread, attr, routine, arg);
}

int pthread_detach(pthread_t thread)
{
    struct call c = CALL(pthread_detach, -1, 0, 0);

    return call_end_error(&c, real.pthread_detach(thread));
}

int pthread_join(pthread_t thread, void **retval)
{
    struct call c = CALL(pthread_join, -1, 0, 0);

    return call_end_error(&c, real.pthread_join(thread, retval));
}

/* Helgrind knows pthread_join() only. */
static int joined(int error, pthread_t thread)
{
    if (error == 0)
        ANNOTATE_HAPPENS_AFTER((void *)thread);
    return error;
}

int pthread_tryjoin_np(pthread_t thread, void **retval)
{
    return joined(real.pthread_tryjoin_np(thread, retval), thread);
}

int pthread_timedjoin_np(pthread_t thread, void **retval,
                         const struct timespec *abstime)
{
    return joined(real.pthread_timedjoin_np(thread, retval, abstime), thread);
}

int pthread_clockjoin_np(pthread_t thread, void **retval, clockid_t clock,
                         const struct timespec *abstime)
{
    return joined(real.pthread_clockjoin_np(thread, retval, clock, abstime),
                  thread);
}

/* ---- C11 ---- */

/* The results of C11 do not say more of a failure than this. */
static int end_c11(struct call *c, int result)
{
    call_end_error(c, result == thrd_success ? 0
                      : result == thrd_nomem ? ENOMEM
                                             : EAGAIN);
    return result;
}

int thrd_create(thrd_t *thread, thrd_start_t routine, void *arg)
{
    struct call c = CALL(thrd_create, -1, 0, 0);

    if (!trace)
        return real.thrd_create(thread, routine, arg);
    if (call_fails(&c)) {
        memset(thread, 0xa5, sizeof(*thread));
        call_end_error(&c, c.value);
        return c.value == ENOMEM ? thrd_nomem : thrd_error;
    }
    struct start *start =
        prepare((struct start){.c11_routine = routine, .arg = arg});
    if (!start)
        return end_c11(&c, thrd_nomem);
    int result = real.thrd_create(thread, run_c11_thread, start);
    if (result != thrd_success)
        real.free(start);
    return end_c11(&c, result);
}

int thrd_detach(thrd_t thread)
{
    struct call c = CALL(thrd_detach, -1, 0, 0);

    return end_c11(&c, real.thrd_detach(thread));
}

int thrd_join(thrd_t thread, int *result)
{
    struct call c = CALL(thrd_join, -1, 0, 0);

    return end_c11(&c, real.thrd_join(thread, result));
}

/* ---- Once ---- */

/* Who comes later finds what the first has made; helgrind does not know. */
static __thread struct once {
    void (*routine)(void);
    const void *control;
} once;

static void run_once(void)
{
    const struct once own = once;

    own.routine();
    ANNOTATE_HAPPENS_BEFORE(own.control);
}

static void begin_once(void (*routine)(void), const void *control)
{
    if (!real.pthread_once) /* by a library that is loaded before us */
        real_bind();
    once = (struct once){routine, control};
}

int pthread_once(pthread_once_t *control, void (*routine)(void))
{
    begin_once(routine, control);
    int error = real.pthread_once(control, run_once);
    ANNOTATE_HAPPENS_AFTER(control);
    return error;
}

void call_once(once_flag *flag, void (*routine)(void))
{
    begin_once(routine, flag);
    real.call_once(flag, run_once);
    ANNOTATE_HAPPENS_AFTER(flag);
}
