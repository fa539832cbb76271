/* memory.c - malloc(3): calls from the submission's own code are recorded
 * and can fail; the libraries' own are none of our business. */
#include "interposer.h"

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void __libc_free(void *old);

/* Before the constructor ran: libraries that are loaded before us. */
static void *(*real_malloc(void))(size_t)
{
    return real.malloc ? real.malloc : __libc_malloc;
}

static bool from_submission(const void *caller)
{
    return trace && !self.asking && (uint64_t)caller >= trace->text_start &&
           (uint64_t)caller < trace->text_end;
}

#define FROM_SUBMISSION() from_submission(__builtin_return_address(0))

static void *allocated(struct call *c, void *block)
{
    call_end(c, block ? 0 : -1);
    return block;
}

void *malloc(size_t size)
{
    if (!FROM_SUBMISSION())
        return real_malloc()(size);
    UNSAFE_IN_HANDLER(malloc);
    struct call c = CALL(malloc, -1, size, 0);
    if (call_fails(&c))
        return allocated(&c, NULL);
    return allocated(&c, real.malloc(size));
}

void *calloc(size_t count, size_t size)
{
    if (!FROM_SUBMISSION())
        return (real.calloc ? real.calloc : __libc_calloc)(count, size);
    UNSAFE_IN_HANDLER(calloc);
    struct call c = CALL(calloc, -1, count, size);
    if (call_fails(&c))
        return allocated(&c, NULL);
    return allocated(&c, real.calloc(count, size));
}

void *realloc(void *old, size_t size)
{
    if (!FROM_SUBMISSION())
        return (real.realloc ? real.realloc : __libc_realloc)(old, size);
    UNSAFE_IN_HANDLER(realloc);
    struct call c = CALL(realloc, -1, size, 0);
    if (call_fails(&c))
        return allocated(&c, NULL);
    return allocated(&c, real.realloc(old, size));
}

void free(void *block)
{
    if (FROM_SUBMISSION())
        UNSAFE_IN_HANDLER(free);
    (real.free ? real.free : __libc_free)(block);
}
