/* atomic.c - C11's atomic operations, for helgrind: it knows no order but that
 * of locks, and takes a lock of the program's own, or a flag that says that
 * something is ready, for a race. What the compiler calls where it does not
 * do them inline: gcc(1), -fno-inline-atomics. They do the operation, and tell
 * what comes before what: C17, 7.17.3.
 */
#include "under_valgrind.h"

#include <stdbool.h>
#include <stdint.h>

static bool releases(int order)
{
    return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL ||
           order == __ATOMIC_SEQ_CST;
}

static bool acquires(int order)
{
    return order == __ATOMIC_ACQUIRE || order == __ATOMIC_CONSUME ||
           order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

static void before(const volatile void *at, int order)
{
    if (releases(order))
        ANNOTATE_HAPPENS_BEFORE(at);
}

static void after(const volatile void *at, int order)
{
    if (acquires(order))
        ANNOTATE_HAPPENS_AFTER(at);
}

/* By another name: the compiler knows a built-in function of this one. */
#define NAMED(name, n) __asm__("__atomic_" #name "_" #n)

#define OPERATION(type, name, n)                                               \
    type name##_##n(volatile void *at, type value, int order) NAMED(name, n);  \
    type name##_##n(volatile void *at, type value, int order)                  \
    {                                                                          \
        before(at, order);                                                     \
        type result =                                                          \
            __atomic_##name((volatile type *)at, value, __ATOMIC_SEQ_CST);     \
        after(at, order);                                                      \
        return result;                                                         \
    }

#define OPERATIONS(type, n)                                                    \
    type load_##n(const volatile void *at, int order) NAMED(load, n);          \
    type load_##n(const volatile void *at, int order)                          \
    {                                                                          \
        type value =                                                           \
            __atomic_load_n((const volatile type *)at, __ATOMIC_SEQ_CST);      \
        after(at, order);                                                      \
        return value;                                                          \
    }                                                                          \
                                                                               \
    void store_##n(volatile void *at, type value, int order) NAMED(store, n);  \
    void store_##n(volatile void *at, type value, int order)                   \
    {                                                                          \
        before(at, order);                                                     \
        __atomic_store_n((volatile type *)at, value, __ATOMIC_SEQ_CST);        \
    }                                                                          \
                                                                               \
    type exchange_##n(volatile void *at, type value, int order)                \
        NAMED(exchange, n);                                                    \
    type exchange_##n(volatile void *at, type value, int order)                \
    {                                                                          \
        before(at, order);                                                     \
        type old =                                                             \
            __atomic_exchange_n((volatile type *)at, value, __ATOMIC_SEQ_CST); \
        after(at, order);                                                      \
        return old;                                                            \
    }                                                                          \
                                                                               \
    bool compare_exchange_##n(volatile void *at, void *expected, type value,   \
                              int success, int failure)                        \
        NAMED(compare_exchange, n);                                            \
    bool compare_exchange_##n(volatile void *at, void *expected, type value,   \
                              int success, int failure)                        \
    {                                                                          \
        before(at, success);                                                   \
        bool done = __atomic_compare_exchange_n(                               \
            (volatile type *)at, (type *)expected, value, false,               \
            __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                               \
        after(at, done ? success : failure);                                   \
        return done;                                                           \
    }                                                                          \
                                                                               \
    OPERATION(type, fetch_add, n)                                              \
    OPERATION(type, fetch_sub, n)                                              \
    OPERATION(type, fetch_and, n)                                              \
    OPERATION(type, fetch_or, n)                                               \
    OPERATION(type, fetch_xor, n)                                              \
    OPERATION(type, fetch_nand, n)                                             \
    OPERATION(type, add_fetch, n)                                              \
    OPERATION(type, sub_fetch, n)                                              \
    OPERATION(type, and_fetch, n)                                              \
    OPERATION(type, or_fetch, n)                                               \
    OPERATION(type, xor_fetch, n)                                              \
    OPERATION(type, nand_fetch, n)

OPERATIONS(uint8_t, 1)
OPERATIONS(uint16_t, 2)
OPERATIONS(uint32_t, 4)
OPERATIONS(uint64_t, 8)
