/* catalogue.h - every failure that a call can have, as data.
 *
 * One row a call and failure: what class it is of, hence what it may cost,
 * when the kernel could give it, and the manual page that says so. A reviewer
 * holds a row against its page.
 */
#ifndef FAULTLINE_CATALOGUE_H
#define FAULTLINE_CATALOGUE_H

#include "fault.h"
#include "verdict.h"

#include <stdbool.h>
#include <stddef.h>

/* What the failure may cost. */
enum failure_class {
    CLASS_TRANSPARENT, /* nothing: no client sees it */
    CLASS_CONNECTION,  /* that connection */
    CLASS_RESOURCE,    /* one client; nothing leaks, nothing spins */
    CLASS_STARTUP,     /* the run: message, exit status 1 */
    CLASS_COUNT,
};
const char *failure_class_name(enum failure_class class);

struct failure {
    enum call_family family;
    enum fault_action action;
    int value; /* errno; bytes as of fault.h */
    enum failure_class class;
    enum fault_when when; /* tested by the interposer, there and then */
    bool on_connection;   /* only where the call is one on a connection */
    bool client_only;     /* only the client: a server makes no such call */
    bool lasts;           /* also from this call on, for a while */
    const char *page;
};

/* Whose rule a program breaks that such a failure harms. */
enum obligation failure_obligation(const struct failure *failure);

extern const struct failure catalogue[];
extern const size_t catalogue_count;

#endif
