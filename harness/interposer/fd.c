/* fd.c - which connection a descriptor belongs to.
 *
 * The table is the process's own: fork copies it as it copies the
 * descriptors. An entry that is not known yet is asked of the kernel, so a
 * descriptor that came by another way is found out too; and what an entry is
 * about, since descriptors go by ways that we do not see: close_range(2).
 */
#include "interposer.h"

#include <netinet/in.h>
#include <sys/syscall.h>

#define FDS 65536

enum { UNKNOWN = 0, NONE = -1 };
static _Atomic int32_t conn_of[FDS];
static _Atomic uint8_t flags_of[FDS];
static _Atomic int32_t seen_of[FDS];
static _Atomic uint64_t file_of[FDS]; /* what they are about */

static bool in_table(int fd)
{
    return fd >= 0 && fd < FDS;
}

static int port_of_peer(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_storage room;
    } peer = {.room = {.ss_family = AF_UNSPEC}};
    socklen_t len = sizeof(peer);

    if (getpeername(fd, &peer.any, &len) < 0)
        return -1;
    if (peer.any.sa_family == AF_INET)
        return ntohs(peer.in.sin_port);
    if (peer.any.sa_family == AF_INET6)
        return ntohs(peer.in6.sin6_port);
    return -1;
}

int fd_stat(int fd, struct stat *file)
{
    return (int)syscall(SYS_fstat, fd, file);
}

static uint64_t file_behind(int fd)
{
    struct stat file;

    if (fd_stat(fd, &file) < 0)
        return 0;
    return (uint64_t)file.st_dev << 48 ^ file.st_ino;
}

static void note_file(int fd)
{
    atomic_store_explicit(&file_of[fd], file_behind(fd), memory_order_relaxed);
}

static void forget_where_another_file(int fd)
{
    if (atomic_load_explicit(&file_of[fd], memory_order_relaxed) !=
        file_behind(fd))
        fd_forget(fd);
}

int fd_conn(int fd)
{
    if (!in_table(fd))
        return 0;
    if (atomic_load_explicit(&conn_of[fd], memory_order_relaxed) != UNKNOWN)
        forget_where_another_file(fd);
    int conn = atomic_load_explicit(&conn_of[fd], memory_order_relaxed);
    if (conn == UNKNOWN) {
        int port = port_of_peer(fd);

        if (port < 0) {
            /* Not connected (yet), or no socket: ask again next time. */
            return 0;
        }
        conn = trace->conn_of_port[port];
        fd_is(fd, conn ? conn : NONE);
    }
    return conn == NONE ? 0 : conn;
}

void fd_is(int fd, int conn)
{
    if (!in_table(fd))
        return;
    note_file(fd);
    atomic_store_explicit(&conn_of[fd], conn, memory_order_relaxed);
}

void fd_forget(int fd)
{
    if (!in_table(fd))
        return;
    atomic_store_explicit(&conn_of[fd], UNKNOWN, memory_order_relaxed);
    atomic_store_explicit(&flags_of[fd], 0, memory_order_relaxed);
    atomic_store_explicit(&seen_of[fd], 0, memory_order_relaxed);
}

void fd_copy(int from, int to)
{
    if (!in_table(from) || !in_table(to))
        return;
    atomic_store_explicit(&file_of[to], file_of[from], memory_order_relaxed);
    atomic_store_explicit(&conn_of[to], conn_of[from], memory_order_relaxed);
    atomic_store_explicit(&flags_of[to], flags_of[from], memory_order_relaxed);
}

unsigned fd_flags(int fd)
{
    if (!in_table(fd))
        return 0;
    if (atomic_load_explicit(&flags_of[fd], memory_order_relaxed))
        forget_where_another_file(fd);
    return atomic_load_explicit(&flags_of[fd], memory_order_relaxed);
}

void fd_flag(int fd, unsigned flags)
{
    if (!in_table(fd))
        return;
    note_file(fd);
    atomic_store_explicit(&flags_of[fd], (uint8_t)flags, memory_order_relaxed);
}

int fd_seen(int fd)
{
    if (!in_table(fd))
        return 0;
    return atomic_load_explicit(&seen_of[fd], memory_order_relaxed);
}

void fd_sees(int fd, int64_t bytes)
{
    if (!in_table(fd) || bytes < 0 || bytes > INT32_MAX)
        return;
    forget_where_another_file(fd);
    note_file(fd);
    atomic_store_explicit(&seen_of[fd], (int32_t)bytes, memory_order_relaxed);
}

int fd_timeout_ms(int fd, int option)
{
    struct timeval limit = {0};
    socklen_t len = sizeof(limit);
    int flags = real.fcntl(fd, F_GETFL);

    if (flags < 0 || (flags & O_NONBLOCK) ||
        getsockopt(fd, SOL_SOCKET, option, &limit, &len) < 0)
        return 0;
    int64_t ms = (int64_t)limit.tv_sec * 1000 + (limit.tv_usec + 999) / 1000;
    return ms > INT32_MAX ? INT32_MAX : (int)ms;
}
