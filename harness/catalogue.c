/* catalogue.c - the table of catalogue.h. */
#include "catalogue.h"

#include <errno.h>

const char *failure_class_name(enum failure_class class)
{
    static const char *const names[CLASS_COUNT] = {"transparent", "connection",
                                                   "resource", "start-up"};
    return names[class];
}

enum obligation failure_obligation(const struct failure *failure)
{
    if (failure->value == EINTR && failure->action == FAULT_ERRNO)
        return OBLIGATION_interrupt;
    if (failure->class == CLASS_STARTUP)
        return OBLIGATION_startup;
    switch (failure->family) {
    case FAMILY_ACCEPT:
        return OBLIGATION_accept;
    case FAMILY_FORK:
        return OBLIGATION_fork;
    case FAMILY_PTHREAD_CREATE:
        return OBLIGATION_thread;
    case FAMILY_MALLOC:
        return OBLIGATION_memory;
    default:
        break;
    }
    if (failure->class == CLASS_TRANSPARENT)
        return OBLIGATION_partial;
    return failure->value == EPIPE ? OBLIGATION_sigpipe : OBLIGATION_reset;
}

/* clang-format off */
#define CONN   .on_connection = true
#define CLIENT .client_only = true
#define LASTS  .lasts = true

const struct failure catalogue[] = {
    /* Nothing is lost by these: try again, or go on with the rest. */
    {FAMILY_READ,   FAULT_SHORT, 1,  CLASS_TRANSPARENT, WHEN_LONGER,   CONN, .page = "read(2)"},
    {FAMILY_READ,   FAULT_SHORT, -1, CLASS_TRANSPARENT, WHEN_LONGER,   CONN, .page = "read(2)"},
    {FAMILY_READ,   FAULT_SHORT, 0,  CLASS_TRANSPARENT, WHEN_LONGER,   CONN, .page = "read(2)"},
    {FAMILY_WRITE,  FAULT_SHORT, 1,  CLASS_TRANSPARENT, WHEN_LONGER,   CONN, .page = "write(2)"},
    {FAMILY_WRITE,  FAULT_SHORT, -1, CLASS_TRANSPARENT, WHEN_LONGER,   CONN, .page = "write(2)"},
    {FAMILY_WRITE,  FAULT_SHORT, 0,  CLASS_TRANSPARENT, WHEN_LONGER,   CONN, .page = "write(2)"},
    {FAMILY_READ,   FAULT_ERRNO, EINTR,  CLASS_TRANSPARENT, WHEN_HANDLER,  CONN, .page = "read(2)"},
    {FAMILY_WRITE,  FAULT_ERRNO, EINTR,  CLASS_TRANSPARENT, WHEN_HANDLER,  CONN, .page = "write(2)"},
    {FAMILY_ACCEPT, FAULT_ERRNO, EINTR,  CLASS_TRANSPARENT, WHEN_HANDLER,  .page = "accept(2)"},
    {FAMILY_POLL,   FAULT_ERRNO, EINTR,  CLASS_TRANSPARENT, WHEN_HANDLER,  .page = "poll(2)"},
    {FAMILY_WAIT,   FAULT_ERRNO, EINTR,  CLASS_TRANSPARENT, WHEN_HANDLER,  .page = "waitpid(2)"},
    {FAMILY_READ,   FAULT_ERRNO, EAGAIN, CLASS_TRANSPARENT, WHEN_NONBLOCK, CONN, .page = "read(2)"},
    {FAMILY_WRITE,  FAULT_ERRNO, EAGAIN, CLASS_TRANSPARENT, WHEN_NONBLOCK, CONN, .page = "write(2)"},
    {FAMILY_ACCEPT, FAULT_ERRNO, EAGAIN, CLASS_TRANSPARENT, WHEN_NONBLOCK, .page = "accept(2)"},
    {FAMILY_ACCEPT, FAULT_ERRNO, ECONNABORTED, CLASS_TRANSPARENT, WHEN_ALWAYS, .page = "accept(2)"},
    {FAMILY_ACCEPT, FAULT_ERRNO, EPROTO,       CLASS_TRANSPARENT, WHEN_ALWAYS, .page = "accept(2)"},

    /* The connection is lost, and nothing else. */
    {FAMILY_READ,   FAULT_ERRNO, ECONNRESET, CLASS_CONNECTION, WHEN_ALWAYS, CONN, .page = "tcp(7)"},
    {FAMILY_READ,   FAULT_ERRNO, ETIMEDOUT,  CLASS_CONNECTION, WHEN_ALWAYS, CONN, .page = "tcp(7)"},
    {FAMILY_WRITE,  FAULT_ERRNO, ECONNRESET, CLASS_CONNECTION, WHEN_ALWAYS, CONN, .page = "write(2)"},
    {FAMILY_WRITE,  FAULT_ERRNO, ETIMEDOUT,  CLASS_CONNECTION, WHEN_ALWAYS, CONN, .page = "tcp(7)"},
    {FAMILY_WRITE,  FAULT_ERRNO, EPIPE,      CLASS_CONNECTION, WHEN_ALWAYS, CONN, .page = "write(2)"},
    {FAMILY_SHUTDOWN,   FAULT_ERRNO, ENOTCONN, CLASS_CONNECTION, WHEN_ALWAYS, CONN, .page = "shutdown(2)"},
    {FAMILY_SETSOCKOPT, FAULT_ERRNO, ENOBUFS,  CLASS_CONNECTION, WHEN_ALWAYS, CONN, .page = "setsockopt(2)"},

    /* Shortages: one client at the most. A lasting EMFILE is a real limit on
     * descriptors (a case of its own): a program may close one to spare. */
    {FAMILY_ACCEPT, FAULT_ERRNO, EMFILE,  CLASS_RESOURCE, WHEN_ALWAYS, .page = "accept(2)"},
    {FAMILY_ACCEPT, FAULT_ERRNO, ENFILE,  CLASS_RESOURCE, WHEN_ALWAYS, LASTS, .page = "accept(2)"},
    {FAMILY_ACCEPT, FAULT_ERRNO, ENOBUFS, CLASS_RESOURCE, WHEN_ALWAYS, LASTS, .page = "accept(2)"},
    {FAMILY_ACCEPT, FAULT_ERRNO, ENOMEM,  CLASS_RESOURCE, WHEN_ALWAYS, LASTS, .page = "accept(2)"},
    {FAMILY_FORK,   FAULT_ERRNO, EAGAIN,  CLASS_RESOURCE, WHEN_ALWAYS, LASTS, .page = "fork(2)"},
    {FAMILY_FORK,   FAULT_ERRNO, ENOMEM,  CLASS_RESOURCE, WHEN_ALWAYS, LASTS, .page = "fork(2)"},
    {FAMILY_PTHREAD_CREATE, FAULT_ERRNO, EAGAIN, CLASS_RESOURCE, WHEN_ALWAYS, LASTS, .page = "pthread_create(3)"},
    {FAMILY_MALLOC, FAULT_ERRNO, ENOMEM,  CLASS_RESOURCE, WHEN_ALWAYS, LASTS, .page = "malloc(3)"},

    /* Before the program listens; for the client, before it is connected. */
    {FAMILY_GETADDRINFO, FAULT_ERRNO, EAGAIN,  CLASS_STARTUP, WHEN_ALWAYS, .page = "getaddrinfo(3)"},
    {FAMILY_GETADDRINFO, FAULT_ERRNO, ENOMEM,  CLASS_STARTUP, WHEN_ALWAYS, .page = "getaddrinfo(3)"},
    {FAMILY_SOCKET, FAULT_ERRNO, EMFILE,       CLASS_STARTUP, WHEN_ALWAYS, LASTS, .page = "socket(2)"},
    {FAMILY_SOCKET, FAULT_ERRNO, ENOBUFS,      CLASS_STARTUP, WHEN_ALWAYS, LASTS, .page = "socket(2)"},
    {FAMILY_BIND,   FAULT_ERRNO, EADDRINUSE,   CLASS_STARTUP, WHEN_ALWAYS, LASTS, .page = "bind(2)"},
    {FAMILY_BIND,   FAULT_ERRNO, EACCES,       CLASS_STARTUP, WHEN_ALWAYS, LASTS, .page = "bind(2)"},
    {FAMILY_LISTEN, FAULT_ERRNO, EADDRINUSE,   CLASS_STARTUP, WHEN_ALWAYS, LASTS, .page = "listen(2)"},
    {FAMILY_CONNECT, FAULT_ERRNO, ECONNREFUSED, CLASS_STARTUP, WHEN_ALWAYS, CLIENT, LASTS, .page = "connect(2)"},
    {FAMILY_CONNECT, FAULT_ERRNO, ETIMEDOUT,    CLASS_STARTUP, WHEN_ALWAYS, CLIENT, LASTS, .page = "connect(2)"},
    {FAMILY_CONNECT, FAULT_ERRNO, ENETUNREACH,  CLASS_STARTUP, WHEN_ALWAYS, CLIENT, LASTS, .page = "connect(2)"},
};
/* clang-format on */

const size_t catalogue_count = sizeof(catalogue) / sizeof(*catalogue);
