/* time.c - pauses and timers: sleep(3), nanosleep(2), thrd_sleep(), alarm(2),
 * setitimer(2). A program in one of them is not at rest; nor may it be with a
 * timer of timer_create(2) or timerfd_create(2): these are no calls of the
 * trace, what becomes of them is seen in /proc. */
#include "interposer.h"

#include "../clock.h"

static void pause_ends(struct call *c, int64_t result)
{
    call_woke(c, result == 0);
    call_end(c, result);
}

unsigned int sleep(unsigned int seconds)
{
    struct call c = CALL(sleep, -1, seconds, 0);

    call_timeout(&c, (int64_t)seconds * 1000);
    unsigned int left = call_flies(&c, false) ? 0 : real.sleep(seconds);
    pause_ends(&c, left);
    return left;
}

int usleep(useconds_t usec)
{
    struct call c = CALL(usleep, -1, usec, 0);

    call_timeout(&c, usec / 1000);
    int result = call_flies(&c, false) ? 0 : real.usleep(usec);
    pause_ends(&c, result);
    return result;
}

static int64_t ms_of(const struct timespec *t)
{
    return t ? (int64_t)t->tv_sec * 1000 + t->tv_nsec / 1000000 : 0;
}

static int64_t ms_of_timeval(const struct timeval *t)
{
    return (int64_t)t->tv_sec * 1000 + (t->tv_usec + 999) / 1000;
}

int nanosleep(const struct timespec *duration, struct timespec *left)
{
    struct call c = CALL(nanosleep, -1, 0, 0);

    call_timeout(&c, ms_of(duration));
    int result = call_flies(&c, false) ? 0 : real.nanosleep(duration, left);
    pause_ends(&c, result);
    return result;
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *t,
                    struct timespec *left)
{
    struct call c = CALL(clock_nanosleep, -1, clock, flags);

    call_timeout(&c, flags & TIMER_ABSTIME ? 0 : ms_of(t));
    int error =
        call_flies(&c, false) ? 0 : real.clock_nanosleep(clock, flags, t, left);
    call_woke(&c, error == 0);
    return call_end_error(&c, error);
}

int thrd_sleep(const struct timespec *duration, struct timespec *left)
{
    struct call c = CALL(thrd_sleep, -1, 0, 0);

    call_timeout(&c, ms_of(duration));
    int result = call_flies(&c, false) ? 0 : real.thrd_sleep(duration, left);
    pause_ends(&c, result);
    return result;
}

/* A timer is set to go off after so long, and then as often. */
static void note_period(int64_t first_ms, int64_t then_ms)
{
    int64_t ms = first_ms > then_ms ? first_ms : then_ms;

    if (trace && ms > 0 && ms <= TRACE_PERIOD_MS &&
        ms > atomic_load(&trace->timer_ms))
        atomic_store(&trace->timer_ms, (uint32_t)ms);
}

static void note_times(int flags, const struct itimerspec *value)
{
    if (value) /* by whichever clock an absolute time is */
        note_period(flags & TIMER_ABSTIME && ms_of(&value->it_value) > 0
                        ? TRACE_PERIOD_MS
                        : ms_of(&value->it_value),
                    ms_of(&value->it_interval));
}

/* A signal comes once, or again and again; nobody sees when. */
static void note_alarm(int64_t first_ms, int64_t then_ms)
{
    note_period(first_ms, then_ms);
    if (!trace || first_ms == 0)
        return;
    if (first_ms >= TRACE_TIMER_MS &&
        (then_ms == 0 || then_ms >= TRACE_TIMER_MS)) {
        atomic_store(&trace->long_alarms, 1);
        return;
    }
    uint64_t over =
        then_ms > 0
            ? UINT64_MAX
            : clock_ns() + (uint64_t)(first_ms + TRACE_TIMER_MS) * 1000000;
    if (over > atomic_load(&trace->alarm_over_ns))
        atomic_store(&trace->alarm_over_ns, over);
}

unsigned int alarm(unsigned int seconds)
{
    struct call c = CALL(alarm, -1, seconds, 0);

    note_alarm((int64_t)seconds * 1000, 0);
    unsigned int left = real.alarm(seconds);
    call_end(&c, left);
    return left;
}

int setitimer(__itimer_which_t which, const struct itimerval *value,
              struct itimerval *old)
{
    struct call c = CALL(setitimer, -1, which, 0);

    if (value)
        note_alarm(ms_of_timeval(&value->it_value),
                   ms_of_timeval(&value->it_interval));
    return (int)call_end(&c, real.setitimer(which, value, old));
}

static void note_timer(void)
{
    if (trace)
        atomic_fetch_add(&trace->timers, 1);
}

int timer_create(clockid_t clock, struct sigevent *event, timer_t *timer)
{
    note_timer();
    return real.timer_create(clock, event, timer);
}

int timerfd_create(int clock, int flags)
{
    note_timer();
    return real.timerfd_create(clock, flags);
}

int timer_settime(timer_t timer, int flags, const struct itimerspec *value,
                  struct itimerspec *old)
{
    note_times(flags, value);
    return real.timer_settime(timer, flags, value, old);
}

int timerfd_settime(int fd, int flags, const struct itimerspec *value,
                    struct itimerspec *old)
{
    note_times(flags, value);
    return real.timerfd_settime(fd, flags, value, old);
}
