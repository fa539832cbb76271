/* io.c - bytes in and out: read(2), recv(2), readv(2), write(2), send(2),
 * writev(2), sendfile(2), splice(2), ioctl(2), dprintf(3), fdopen(3). */
#include "interposer.h"
#include "under_valgrind.h"

#include <string.h>

static int in(int flags)
{
    return CALL_WANTS_READ | (flags & MSG_DONTWAIT ? CALL_DONTWAIT : 0) |
           (flags & (MSG_WAITALL | MSG_PEEK) ? CALL_NEVER_SHORT : 0);
}

static int out(int flags)
{
    return CALL_WANTS_WRITE | (flags & MSG_DONTWAIT ? CALL_DONTWAIT : 0);
}

static size_t iov_bytes(const struct iovec *iov, size_t count)
{
    size_t sum = 0;

    for (size_t i = 0; iov && i < count; i++)
        sum += iov[i].iov_len;
    return sum;
}

/* A broken pipe tells twice: the signal first, then the error. */
static bool write_fails(struct call *c, int flags)
{
    if (!call_fails(c))
        return false;
    if (errno == EPIPE && !(flags & MSG_NOSIGNAL)) {
        self.own_sigpipe = 1;
        raise_here(SIGPIPE);
        self.own_sigpipe = 0;
        errno = EPIPE;
    }
    return true;
}

static ssize_t wrote(struct call *c, ssize_t result)
{
    self.own_sigpipe = 0;
    return call_end(c, result);
}

/* Who reads from a pipe, an eventfd or a socket of AF_UNIX what another thread
 * wrote comes after it, which helgrind does not know. A name for it, one for
 * all such sockets, whose two ends have none in common; NULL: it is none of
 * these, or nobody asks. */
static const void *handed_through(int fd)
{
    static const char unix_sockets;
    socklen_t len = sizeof(int);
    struct stat file;
    int domain;

    if (!RUNNING_ON_VALGRIND || fd_stat(fd, &file) < 0)
        return NULL;
    if (S_ISSOCK(file.st_mode))
        return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
                       domain == AF_UNIX
                   ? &unix_sockets
                   : NULL;
    return S_ISFIFO(file.st_mode)         ? (void *)(uintptr_t)file.st_ino
           : (file.st_mode & S_IFMT) == 0 ? (void *)((uintptr_t)fd + 1)
                                          : NULL;
}

/* Right before it writes: who reads that may do so before we go on. */
static void write_begins(int fd)
{
    const void *way = handed_through(fd);

    if (way)
        ANNOTATE_HAPPENS_BEFORE(way);
    self.own_sigpipe = 1;
}

/* A look shows what is there, a read takes it away. */
static ssize_t got(struct call *c, int flags, ssize_t n)
{
    int error = errno;
    const void *way = n > 0 ? handed_through(c->fd) : NULL;

    if (way)
        ANNOTATE_HAPPENS_AFTER(way);
    errno = error;
    if (trace && n > 0 && (flags & MSG_PEEK) && n > c->seen)
        fd_sees(c->fd, n);
    else if (trace && n > 0 && !(flags & MSG_PEEK) && c->seen > 0)
        fd_sees(c->fd, c->seen > n ? c->seen - n : 0);
    return call_end(c, n);
}

ssize_t read(int fd, void *buf, size_t count)
{
    struct call c = CALL_ON(read, fd, count, 0, in(0));

    if (call_fails(&c))
        return call_end(&c, -1);
    ssize_t n = real.read(fd, buf, call_len(&c, count));
    return got(&c, 0, n);
}

/* tcp(7): with MSG_TRUNC bytes go without being copied, and no buffer is
 * needed. Valgrind does not know that: it is shown one that nobody reads. */
static bool are_dropped(const void *buf, int flags)
{
    return !buf && (flags & MSG_TRUNC) && RUNNING_ON_VALGRIND;
}

static ssize_t drop(int fd, size_t len, int flags, struct sockaddr *addr,
                    socklen_t *addr_len)
{
    char nowhere[4096];

    return real.recvfrom(fd, nowhere,
                         len < sizeof(nowhere) ? len : sizeof(nowhere), flags,
                         addr, addr_len);
}

ssize_t recv(int fd, void *buf, size_t len, int flags)
{
    struct call c = CALL_ON(recv, fd, len, flags, in(flags));

    if (call_fails(&c))
        return call_end(&c, -1);
    len = call_len(&c, len);
    return got(&c, flags,
               are_dropped(buf, flags) ? drop(fd, len, flags, NULL, NULL)
                                       : real.recv(fd, buf, len, flags));
}

ssize_t recvfrom(int fd, void *buf, size_t len, int flags,
                 struct sockaddr *addr, socklen_t *addr_len)
{
    struct call c = CALL_ON(recvfrom, fd, len, flags, in(flags));

    if (call_fails(&c))
        return call_end(&c, -1);
    len = call_len(&c, len);
    return got(&c, flags,
               are_dropped(buf, flags)
                   ? drop(fd, len, flags, addr, addr_len)
                   : real.recvfrom(fd, buf, len, flags, addr, addr_len));
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
    struct call c =
        CALL_ON(recvmsg, fd, iov_bytes(msg->msg_iov, msg->msg_iovlen), flags,
                in(flags));
    struct iovec cut[CALL_IOV_MAX];
    const struct msghdr whole = *msg;

    if (call_fails(&c))
        return call_end(&c, -1);
    msg->msg_iov =
        (struct iovec *)call_iov(&c, msg->msg_iov, &msg->msg_iovlen, cut);
    ssize_t result = real.recvmsg(fd, msg, flags);
    msg->msg_iov = whole.msg_iov;
    msg->msg_iovlen = whole.msg_iovlen;
    return got(&c, flags, result);
}

ssize_t readv(int fd, const struct iovec *iov, int iovcnt)
{
    size_t count = iovcnt < 0 ? 0 : (size_t)iovcnt;
    struct call c = CALL_ON(readv, fd, iov_bytes(iov, count), 0, in(0));
    struct iovec cut[CALL_IOV_MAX];

    if (call_fails(&c))
        return call_end(&c, -1);
    if (c.action != FAULT_SHORT)
        return got(&c, 0, real.readv(fd, iov, iovcnt));
    iov = call_iov(&c, iov, &count, cut);
    return got(&c, 0, real.readv(fd, iov, (int)count));
}

ssize_t write(int fd, const void *buf, size_t count)
{
    struct call c = CALL_ON(write, fd, count, 0, out(0));

    if (write_fails(&c, 0))
        return call_end(&c, -1);
    write_begins(fd);
    return wrote(&c, real.write(fd, buf, call_len(&c, count)));
}

ssize_t send(int fd, const void *buf, size_t len, int flags)
{
    struct call c = CALL_ON(send, fd, len, flags, out(flags));

    if (write_fails(&c, flags))
        return call_end(&c, -1);
    write_begins(fd);
    return wrote(&c, real.send(fd, buf, call_len(&c, len), flags));
}

ssize_t sendto(int fd, const void *buf, size_t len, int flags,
               const struct sockaddr *addr, socklen_t addr_len)
{
    struct call c = CALL_ON(sendto, fd, len, flags, out(flags));

    if (write_fails(&c, flags))
        return call_end(&c, -1);
    write_begins(fd);
    return wrote(
        &c, real.sendto(fd, buf, call_len(&c, len), flags, addr, addr_len));
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
    struct call c =
        CALL_ON(sendmsg, fd, iov_bytes(msg->msg_iov, msg->msg_iovlen), flags,
                out(flags));
    struct iovec cut[CALL_IOV_MAX];
    struct msghdr part = *msg;

    if (write_fails(&c, flags))
        return call_end(&c, -1);
    part.msg_iov =
        (struct iovec *)call_iov(&c, msg->msg_iov, &part.msg_iovlen, cut);
    write_begins(fd);
    return wrote(&c, real.sendmsg(fd, &part, flags));
}

ssize_t writev(int fd, const struct iovec *iov, int iovcnt)
{
    size_t count = iovcnt < 0 ? 0 : (size_t)iovcnt;
    struct call c = CALL_ON(writev, fd, iov_bytes(iov, count), 0, out(0));
    struct iovec cut[CALL_IOV_MAX];

    if (write_fails(&c, 0))
        return call_end(&c, -1);
    write_begins(fd);
    if (c.action != FAULT_SHORT)
        return wrote(&c, real.writev(fd, iov, iovcnt));
    iov = call_iov(&c, iov, &count, cut);
    return wrote(&c, real.writev(fd, iov, (int)count));
}

ssize_t sendfile(int out_fd, int in_fd, off_t *offset, size_t count)
{
    struct call c = CALL_ON(sendfile, out_fd, count, 0, out(0));

    if (write_fails(&c, 0))
        return call_end(&c, -1);
    write_begins(out_fd);
    return wrote(&c, real.sendfile(out_fd, in_fd, offset, call_len(&c, count)));
}

ssize_t sendfile64(int out_fd, int in_fd, off64_t *offset, size_t count)
    __attribute__((alias("sendfile")));

/* splice(2) reads a socket or writes one, through a pipe; it is addressed
 * by whichever end is the connection. */
ssize_t splice(int in_fd, off64_t *in_off, int out_fd, off64_t *out_off,
               size_t len, unsigned int flags)
{
    bool reads = trace && fd_conn(in_fd) > 0;
    struct call c = CALL_ON(splice, reads ? in_fd : out_fd, len, flags,
                            reads ? CALL_WANTS_READ : CALL_WANTS_WRITE);

    if (write_fails(&c, reads ? MSG_NOSIGNAL : 0))
        return call_end(&c, -1);
    write_begins(out_fd);
    ssize_t n =
        real.splice(in_fd, in_off, out_fd, out_off, call_len(&c, len), flags);
    self.own_sigpipe = 0;
    return got(&c, 0, n);
}

/* Not recorded: of what it can ask for, this much decides what may fail. The
 * third argument is an int or a pointer; either fits a long. */
int ioctl(int fd, unsigned long request, ...)
{
    va_list list;

    va_start(list, request);
    long arg = va_arg(list, long);
    va_end(list);
    int result = real.ioctl(fd, request, arg);
    if (trace && result == 0 && request == FIONREAD)
        fd_sees(fd, *(const int *)arg);
    return result;
}

static int write_text(int fd, const char *text, size_t len)
{
    size_t done = 0;

    while (done < len) {
        struct call c = CALL_ON(dprintf, fd, len - done, 0, out(0));

        if (write_fails(&c, 0))
            return (int)call_end(&c, -1);
        write_begins(fd);
        ssize_t n =
            wrote(&c, real.write(fd, text + done, call_len(&c, len - done)));
        if (n < 0)
            return -1;
        done += (size_t)n;
    }
    return (int)len;
}

/* libc would write past us. As there, a short write is continued. */
static int print(int fd, const char *format, va_list list)
{
    char *text;
    int len = vasprintf(&text, format, list);

    if (len < 0)
        return -1;
    len = write_text(fd, text, (size_t)len);
    int error = errno;
    real.free(text);
    errno = error;
    return len;
}

int vdprintf(int fd, const char *format, va_list list)
{
    UNSAFE_IN_HANDLER(dprintf);
    return print(fd, format, list);
}

int dprintf(int fd, const char *format, ...)
{
    va_list list;

    UNSAFE_IN_HANDLER(dprintf);
    va_start(list, format);
    int len = print(fd, format, list);
    va_end(list);
    return len;
}

/* stdio on a socket: libc would read and write past us, so its stream is
 * one whose functions are ours. */
static ssize_t stream_read(void *cookie, char *buf, size_t size)
{
    return read((int)(intptr_t)cookie, buf, size);
}

/* As libc's own: a short write is continued. What is missing at the end is
 * the error: fopencookie(3). */
static ssize_t stream_write(void *cookie, const char *buf, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = write((int)(intptr_t)cookie, buf + done, size - done);

        if (n < 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

static int stream_close(void *cookie)
{
    return close((int)(intptr_t)cookie);
}

static bool is_socket(int fd)
{
    int type;
    socklen_t len = sizeof(type);

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
}

FILE *fdopen(int fd, const char *mode)
{
    static const cookie_io_functions_t functions = {
        .read = stream_read, .write = stream_write, .close = stream_close};
    struct call c = CALL(fdopen, fd, 0, 0);

    if (call_fails(&c)) {
        call_end(&c, -1);
        return NULL;
    }
    if (!trace || !is_socket(fd)) {
        FILE *plain = real.fdopen(fd, mode);
        call_end(&c, plain ? 0 : -1);
        return plain;
    }
    atomic_fetch_add(&trace->stdio_sockets, 1);
    FILE *stream = fopencookie((void *)(intptr_t)fd, mode, functions);
    if (stream)
        stream->_fileno = fd; /* for fileno(3) */
    call_end(&c, stream ? 0 : -1);
    return stream;
}

/* What a build with _FORTIFY_SOURCE calls instead. */
ssize_t __read_chk(int fd, void *buf, size_t count, size_t room);
ssize_t __recv_chk(int fd, void *buf, size_t len, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *buf, size_t len, size_t room, int flags,
                       struct sockaddr *addr, socklen_t *addr_len);
int __vdprintf_chk(int fd, int flag, const char *format, va_list list);
int __dprintf_chk(int fd, int flag, const char *format, ...);

ssize_t __read_chk(int fd, void *buf, size_t count, size_t room)
{
    if (count > room)
        abort();
    return read(fd, buf, count);
}

ssize_t __recv_chk(int fd, void *buf, size_t len, size_t room, int flags)
{
    if (len > room)
        abort();
    return recv(fd, buf, len, flags);
}

ssize_t __recvfrom_chk(int fd, void *buf, size_t len, size_t room, int flags,
                       struct sockaddr *addr, socklen_t *addr_len)
{
    if (len > room)
        abort();
    return recvfrom(fd, buf, len, flags, addr, addr_len);
}

int __vdprintf_chk(int fd, int flag, const char *format, va_list list)
{
    (void)flag;
    return vdprintf(fd, format, list);
}

int __dprintf_chk(int fd, int flag, const char *format, ...)
{
    va_list list;

    (void)flag;
    va_start(list, format);
    int len = vdprintf(fd, format, list);
    va_end(list);
    return len;
}
