/* under_valgrind.h - what a program can ask of valgrind, which answers 0 where
 * it does not run the program, or its headers were not there for the build. */
#ifndef FAULTLINE_UNDER_VALGRIND_H
#define FAULTLINE_UNDER_VALGRIND_H

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/helgrind.h>
#include <valgrind/memcheck.h>
#endif
#endif

#ifndef RUNNING_ON_VALGRIND
#define RUNNING_ON_VALGRIND                           0
#define VALGRIND_CHECK_MEM_IS_ADDRESSABLE(place, len) 0
#define ANNOTATE_HAPPENS_BEFORE(place)                ((void)(place))
#define ANNOTATE_HAPPENS_AFTER(place)                 ((void)(place))
#endif

#endif
