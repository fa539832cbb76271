/* unsafe.c - functions that may not be called in the handler of an
 * asynchronous signal: signal-safety(7). They are only noted; what they do
 * is libc's. */
#include "interposer.h"

#include <syslog.h>

int vprintf(const char *format, va_list list)
{
    UNSAFE_IN_HANDLER(printf);
    return real.vprintf(format, list);
}

int printf(const char *format, ...)
{
    va_list list;

    UNSAFE_IN_HANDLER(printf);
    va_start(list, format);
    int n = real.vprintf(format, list);
    va_end(list);
    return n;
}

int vfprintf(FILE *stream, const char *format, va_list list)
{
    UNSAFE_IN_HANDLER(fprintf);
    return real.vfprintf(stream, format, list);
}

int fprintf(FILE *stream, const char *format, ...)
{
    va_list list;

    UNSAFE_IN_HANDLER(fprintf);
    va_start(list, format);
    int n = real.vfprintf(stream, format, list);
    va_end(list);
    return n;
}

int puts(const char *text)
{
    UNSAFE_IN_HANDLER(puts);
    return real.puts(text);
}

int fputs(const char *text, FILE *stream)
{
    UNSAFE_IN_HANDLER(fputs);
    return real.fputs(text, stream);
}

int putchar(int c)
{
    UNSAFE_IN_HANDLER(putchar);
    return real.putchar(c);
}

int fputc(int c, FILE *stream)
{
    UNSAFE_IN_HANDLER(fputc);
    return real.fputc(c, stream);
}

int putc(int c, FILE *stream)
{
    UNSAFE_IN_HANDLER(putc);
    return real.putc(c, stream);
}

size_t fwrite(const void *data, size_t size, size_t n, FILE *stream)
{
    UNSAFE_IN_HANDLER(fwrite);
    return real.fwrite(data, size, n, stream);
}

int fflush(FILE *stream)
{
    UNSAFE_IN_HANDLER(fflush);
    return real.fflush(stream);
}

void perror(const char *text)
{
    UNSAFE_IN_HANDLER(perror);
    real.perror(text);
}

void syslog(int priority, const char *format, ...)
{
    va_list list;

    UNSAFE_IN_HANDLER(syslog);
    va_start(list, format);
    real.vsyslog(priority, format, list);
    va_end(list);
}

/* POSIX: no pthread function is async-signal-safe, save pthread_kill,
 * pthread_self and pthread_sigmask. */
int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    UNSAFE_IN_HANDLER(pthread_mutex_lock);
    return real.pthread_mutex_lock(mutex);
}
