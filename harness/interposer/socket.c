/* socket.c - sockets and descriptors: socket(2), bind(2), listen(2),
 * accept(2), connect(2), shutdown(2), setsockopt(2), close(2), fcntl(2),
 * dup(2). */
#include "interposer.h"

#include <netinet/in.h>

static int new_fd(struct call *c, int fd)
{
    if (trace)
        fd_forget(fd);
    return (int)call_end(c, fd);
}

int socket(int domain, int type, int protocol)
{
    struct call c = CALL(socket, -1, domain, type);

    if (call_fails(&c))
        return (int)call_end(&c, -1);
    return new_fd(&c, real.socket(domain, type, protocol));
}

int bind(int fd, const struct sockaddr *addr, socklen_t len)
{
    struct call c = CALL(bind, fd, 0, 0);

    if (call_fails(&c))
        return (int)call_end(&c, -1);
    return (int)call_end(&c, real.bind(fd, addr, len));
}

int listen(int fd, int backlog)
{
    struct call c = CALL(listen, fd, backlog, 0);

    if (call_fails(&c))
        return (int)call_end(&c, -1);
    int result = real.listen(fd, backlog);
    if (trace && result == 0)
        atomic_fetch_add(&trace->listens, 1);
    return (int)call_end(&c, result);
}

/* As if the kernel had been set up so: tcp(7), tcp_wmem and tcp_rmem. */
static void limit_buffers(int fd)
{
    const int send = (int)atomic_load(&trace->send_buffer);
    const int receive = (int)atomic_load(&trace->receive_buffer);

    if (send > 0)
        real.setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send, sizeof(send));
    if (receive > 0)
        real.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive, sizeof(receive));
}

static int accepted(struct call *c, int fd)
{
    int error = errno;

    if (!c->record)
        return fd;
    if (fd >= 0) {
        fd_forget(fd);
        c->conn = fd_conn(fd);
        if (trace->numbers_accepts) {
            c->conn = (int)atomic_fetch_add(&trace->connects, 1) + 1;
            fd_is(fd, c->conn);
        }
        limit_buffers(fd);
        atomic_fetch_add(&trace->accepted, 1);
    } else if (error != EAGAIN) {
        atomic_fetch_add(&trace->accept_errors, 1);
    }
    call_woke(c, false);
    errno = error;
    return (int)call_end(c, fd);
}

int accept(int fd, struct sockaddr *addr, socklen_t *len)
{
    struct call c = CALL_ON(accept, fd, 0, 0, CALL_WANTS_READ);

    if (call_fails(&c))
        return accepted(&c, -1);
    return accepted(&c, real.accept(fd, addr, len));
}

int accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
    struct call c = CALL_ON(accept4, fd, flags, 0, CALL_WANTS_READ);

    if (call_fails(&c))
        return accepted(&c, -1);
    return accepted(&c, real.accept4(fd, addr, len, flags));
}

int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    struct call c = CALL(connect, fd, addr ? addr->sa_family : 0, 0);

    if (call_fails(&c))
        return (int)call_end(&c, -1);
    if (trace)
        limit_buffers(fd);
    int result = real.connect(fd, addr, len);
    if (trace && trace->numbers_connects && c.conn == 0 &&
        (result == 0 || errno == EINPROGRESS)) {
        c.conn = (int)atomic_fetch_add(&trace->connects, 1) + 1;
        fd_is(fd, c.conn);
    }
    return (int)call_end(&c, result);
}

int shutdown(int fd, int how)
{
    struct call c = CALL(shutdown, fd, how, 0);

    if (call_fails(&c))
        return (int)call_end(&c, -1);
    return (int)call_end(&c, real.shutdown(fd, how));
}

#define LONGEST_LINGER_S 1000

/* socket(7): so long close(2) may last. The kernel has taken it. */
static void note_linger(const struct linger *linger)
{
    int s = linger->l_onoff ? linger->l_linger : 0;
    uint32_t ms = s < 0 || s > LONGEST_LINGER_S ? LONGEST_LINGER_S * 1000u
                                                : (uint32_t)s * 1000;

    if (ms > atomic_load(&trace->linger_ms))
        atomic_store(&trace->linger_ms, ms);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    struct call c = CALL(setsockopt, fd, level, name);

    if (call_fails(&c))
        return (int)call_end(&c, -1);
    if (trace && level == SOL_SOCKET &&
        (name == SO_RCVTIMEO || name == SO_SNDTIMEO))
        atomic_fetch_add(&trace->timed_sockets, 1);
    int result = real.setsockopt(fd, level, name, value, len);
    if (trace && result == 0 && level == SOL_SOCKET && name == SO_LINGER)
        note_linger(value);
    return (int)call_end(&c, result);
}

/* close(2): even when it fails, the descriptor is gone. */
int close(int fd)
{
    struct call c = CALL(close, fd, 0, 0);

    if (trace)
        fd_forget(fd);
    int result = real.close(fd);
    if (result == 0 && call_fails(&c))
        result = -1;
    return (int)call_end(&c, result);
}

static int duplicated(struct call *c, int fd, int copy)
{
    if (trace && copy >= 0)
        fd_copy(fd, copy);
    return (int)call_end(c, copy);
}

int dup(int fd)
{
    struct call c = CALL(dup, fd, 0, 0);

    if (call_fails(&c))
        return (int)call_end(&c, -1);
    return duplicated(&c, fd, real.dup(fd));
}

int dup2(int fd, int copy)
{
    struct call c = CALL(dup2, fd, copy, 0);

    if (call_fails(&c))
        return (int)call_end(&c, -1);
    return duplicated(&c, fd, real.dup2(fd, copy));
}

int dup3(int fd, int copy, int flags)
{
    struct call c = CALL(dup2, fd, copy, flags);

    if (call_fails(&c))
        return (int)call_end(&c, -1);
    return duplicated(&c, fd, real.dup3(fd, copy, flags));
}

/* The third argument is an int or a pointer; either fits a long. */
int fcntl(int fd, int cmd, ...)
{
    va_list list;

    va_start(list, cmd);
    long arg = va_arg(list, long);
    va_end(list);
    if (self.asking || !real.fcntl)
        return real.fcntl ? real.fcntl(fd, cmd, arg) : -1;
    struct call c = CALL(fcntl, fd, cmd, arg);
    if (call_fails(&c))
        return (int)call_end(&c, -1);
    int result = real.fcntl(fd, cmd, arg);
    if (cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC)
        return duplicated(&c, fd, result);
    return (int)call_end(&c, result);
}

int fcntl64(int fd, int cmd, ...) __attribute__((alias("fcntl")));
