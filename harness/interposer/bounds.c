/* bounds.c - what the compiler's check of an index calls where an array has no
 * such element: gcc(1), -fsanitize=bounds. Valgrind is told, and knows whose
 * line it is; the program goes on as it would without the check. */
#include "under_valgrind.h"

void __ubsan_handle_out_of_bounds(const void *array, const void *index);

/* A place that is nobody's: memcheck reports it, with a kind of its own. */
void __ubsan_handle_out_of_bounds(const void *array, const void *index)
{
    (void)array;
    (void)index;
    (void)VALGRIND_CHECK_MEM_IS_ADDRESSABLE((const char *)1, 1);
}
