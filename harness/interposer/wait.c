/* wait.c - waiting for readiness: select(2), poll(2), epoll(7). */
#include "interposer.h"
#include "under_valgrind.h"

#include <limits.h>

static int64_t ms_of_timeval(const struct timeval *t)
{
    return t ? (int64_t)t->tv_sec * 1000 + t->tv_usec / 1000 : -1;
}

static int64_t ms_of_timespec(const struct timespec *t)
{
    return t ? (int64_t)t->tv_sec * 1000 + t->tv_nsec / 1000000 : -1;
}

static int woke(struct call *c, int result)
{
    call_woke(c, result == 0);
    return (int)call_end(c, result);
}

static const struct timespec no_time;

/* Before the call begins: it is ruled on then. */
static void wait_with(const sigset_t *mask)
{
    self.wait_mask = mask;
}

int select(int nfds, fd_set *in, fd_set *out, fd_set *except,
           struct timeval *timeout)
{
    struct call c = CALL(select, -1, nfds, 0);

    call_timeout(&c, ms_of_timeval(timeout));
    if (call_fails(&c))
        return woke(&c, -1);
    if (call_flies(&c, nfds > 0))
        *timeout = (struct timeval){0}; /* what is left of it: select(2) */
    return woke(&c, real.select(nfds, in, out, except, timeout));
}

int pselect(int nfds, fd_set *in, fd_set *out, fd_set *except,
            const struct timespec *timeout, const sigset_t *mask)
{
    wait_with(mask);
    struct call c = CALL(pselect, -1, nfds, 0);

    call_timeout(&c, ms_of_timespec(timeout));
    if (call_fails(&c))
        return woke(&c, -1);
    if (call_flies(&c, nfds > 0))
        timeout = &no_time;
    return woke(&c, real.pselect(nfds, in, out, except, timeout, mask));
}

/* When a wait for one descriptor alone has ended, it is known whose it was:
 * before that nobody has looked whether *fds can be read. */
static int woke_for(struct call *c, const struct pollfd *fds, nfds_t nfds,
                    int result)
{
    if (trace && result > 0 && nfds == 1)
        call_whose(c, fd_conn(fds[0].fd));
    return woke(c, result);
}

/* poll(2): EINVAL for a table longer than the limit on descriptors. That we
 * have lowered: a program may count on it that a table it could poll once, it
 * can always. Its unused end is left out then. Returns the entries to poll. */
static nfds_t used_entries(struct pollfd *fds, nfds_t nfds)
{
    while (nfds > 0 && fds[nfds - 1].fd < 0)
        fds[--nfds].revents = 0;
    return nfds;
}

static bool is_for_our_limit(int result)
{
    return result < 0 && errno == EINVAL && trace &&
           atomic_load(&trace->descriptors_cut);
}

int poll(struct pollfd *fds, nfds_t nfds, int timeout)
{
    struct call c = CALL(poll, -1, nfds, 0);

    call_timeout(&c, timeout < 0 ? -1 : timeout);
    if (call_fails(&c))
        return woke(&c, -1);
    if (call_flies(&c, nfds > 0))
        timeout = 0;
    int result = real.poll(fds, nfds, timeout);
    if (is_for_our_limit(result))
        result = real.poll(fds, used_entries(fds, nfds), timeout);
    return woke_for(&c, fds, nfds, result);
}

int ppoll(struct pollfd *fds, nfds_t nfds, const struct timespec *timeout,
          const sigset_t *mask)
{
    wait_with(mask);
    struct call c = CALL(ppoll, -1, nfds, 0);

    call_timeout(&c, ms_of_timespec(timeout));
    if (call_fails(&c))
        return woke(&c, -1);
    if (call_flies(&c, nfds > 0))
        timeout = &no_time;
    int result = real.ppoll(fds, nfds, timeout, mask);
    if (is_for_our_limit(result))
        result = real.ppoll(fds, used_entries(fds, nfds), timeout, mask);
    return woke_for(&c, fds, nfds, result);
}

static int new_epoll(struct call *c, int fd)
{
    if (trace)
        fd_forget(fd);
    return (int)call_end(c, fd);
}

int epoll_create1(int flags)
{
    struct call c = CALL(epoll_create1, -1, flags, 0);

    if (call_fails(&c))
        return (int)call_end(&c, -1);
    return new_epoll(&c, real.epoll_create1(flags));
}

int epoll_create(int size)
{
    struct call c = CALL(epoll_create1, -1, size, 0);

    if (call_fails(&c))
        return (int)call_end(&c, -1);
    return new_epoll(&c, real.epoll_create(size));
}

/* An edge-triggered descriptor may not be answered EAGAIN once it has been
 * reported: no second report would come. */
int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
    struct call c = CALL(epoll_ctl, fd, op, event ? event->events : 0);

    if (call_fails(&c))
        return (int)call_end(&c, -1);
    int result = real.epoll_ctl(epfd, op, fd, event);
    if (trace && result == 0 && event)
        fd_flag(fd, event->events & EPOLLET ? FD_EDGE : 0);
    return (int)call_end(&c, result);
}

int epoll_wait(int epfd, struct epoll_event *events, int most, int timeout)
{
    struct call c = CALL(epoll_wait, -1, most, timeout);

    call_timeout(&c, timeout < 0 ? -1 : timeout);
    if (call_fails(&c))
        return woke(&c, -1);
    if (call_flies(&c, true))
        timeout = 0;
    return woke(&c, real.epoll_wait(epfd, events, most, timeout));
}

int epoll_pwait(int epfd, struct epoll_event *events, int most, int timeout,
                const sigset_t *mask)
{
    wait_with(mask);
    struct call c = CALL(epoll_pwait, -1, most, timeout);

    call_timeout(&c, timeout < 0 ? -1 : timeout);
    if (call_fails(&c))
        return woke(&c, -1);
    if (call_flies(&c, true))
        timeout = 0;
    return woke(&c, real.epoll_pwait(epfd, events, most, timeout, mask));
}

/* Valgrind has it from 3.22 on, and libc from 2.35 on. */
int epoll_pwait2(int epfd, struct epoll_event *events, int most,
                 const struct timespec *timeout, const sigset_t *mask)
{
    int64_t ms = ms_of_timespec(timeout);

    if (ms >= 0 && timeout->tv_nsec % 1000000 > 0)
        ms++;
    ms = ms > INT_MAX ? INT_MAX : ms;
    wait_with(mask);
    struct call c = CALL(epoll_pwait2, -1, most, ms);
    call_timeout(&c, ms);
    if (call_fails(&c))
        return woke(&c, -1);
    if (call_flies(&c, true)) {
        timeout = &no_time;
        ms = 0;
    }
    return woke(&c, RUNNING_ON_VALGRIND
                        ? real.epoll_pwait(epfd, events, most, (int)ms, mask)
                        : real.epoll_pwait2(epfd, events, most, timeout, mask));
}

/* What a build with _FORTIFY_SOURCE calls instead. */
int __poll_chk(struct pollfd *fds, nfds_t nfds, int timeout, size_t room);
int __ppoll_chk(struct pollfd *fds, nfds_t nfds, const struct timespec *timeout,
                const sigset_t *mask, size_t room);

int __poll_chk(struct pollfd *fds, nfds_t nfds, int timeout, size_t room)
{
    if (room / sizeof(*fds) < nfds)
        abort();
    return poll(fds, nfds, timeout);
}

int __ppoll_chk(struct pollfd *fds, nfds_t nfds, const struct timespec *timeout,
                const sigset_t *mask, size_t room)
{
    if (room / sizeof(*fds) < nfds)
        abort();
    return ppoll(fds, nfds, timeout, mask);
}
