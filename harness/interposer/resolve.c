/* resolve.c - getaddrinfo(3): a play's own host names resolve to what the
 * play says, all others as they are. */
#include "interposer.h"

#include <string.h>

static const struct trace_name *name_of(const char *host)
{
    for (int i = 0; trace && host && i < TRACE_NAMES; i++)
        if (trace->name[i].host[0] && strcmp(trace->name[i].host, host) == 0)
            return &trace->name[i];
    return NULL;
}

/* The list for one numeric address. What the caller asked for (family,
 * type, service) is libc's business as ever. */
static int one(const char *addr, const char *service,
               const struct addrinfo *hints, struct addrinfo **list)
{
    struct addrinfo numeric = {.ai_family = AF_UNSPEC};

    if (hints)
        numeric = *hints;
    numeric.ai_flags &= ~(AI_ADDRCONFIG | AI_CANONNAME);
    numeric.ai_flags |= AI_NUMERICHOST;
    return real.getaddrinfo(addr, service, &numeric, list);
}

/* glibc's freeaddrinfo() frees node by node, so lists can be joined. On
 * failure it leaves *list alone, as glibc does: who reads it then is found. */
static int join(const struct trace_name *name, const char *service,
                const struct addrinfo *hints, struct addrinfo **list)
{
    struct addrinfo *joined = NULL, **end = &joined;
    int error = EAI_NONAME;

    for (int i = 0; i < TRACE_ADDRS && name->addr[i][0]; i++) {
        int e = one(name->addr[i], service, hints, end);

        if (e && e != EAI_ADDRFAMILY && e != EAI_NONAME)
            error = e;
        while (e == 0 && *end)
            end = &(*end)->ai_next;
        if (e)
            *end = NULL;
    }
    if (!joined)
        return error;
    if (hints && (hints->ai_flags & AI_CANONNAME))
        joined->ai_canonname = strdup(name->host); /* freed with its node */
    *list = joined;
    return 0;
}

int getaddrinfo(const char *host, const char *service,
                const struct addrinfo *hints, struct addrinfo **list)
{
    const struct trace_name *name = name_of(host);
    struct call c = CALL(getaddrinfo, -1, 0, 0);
    int error;

    call_note(&c, host);
    if (call_fails(&c))
        error = c.value == ENOMEM   ? EAI_MEMORY
                : c.value == EAGAIN ? EAI_AGAIN
                                    : EAI_FAIL;
    else if (name)
        error = join(name, service, hints, list);
    else
        error = real.getaddrinfo(host, service, hints, list);
    call_end(&c, error);
    return error;
}

void freeaddrinfo(struct addrinfo *list)
{
    struct call c = CALL(freeaddrinfo, -1, 0, 0);

    real.freeaddrinfo(list);
    call_end(&c, 0);
}
