/* unsafe.c - functions that may not be called in the handler of an
 * asynchronous signal: signal-safety(7). They are only noted, and that they
 * print; what they do is libc's. */
#include "interposer.h"

#include <syslog.h>

/* A line for people has been said (or kept in a buffer) here. */
static void printed(FILE *stream, const char *function, void *frame)
{
    if (!trace || (stream != stdout && stream != stderr) ||
        in_async_handler(frame)) /* noted as unsafe already */
        return;
    struct call c = call_begin(CALL_print, stream == stdout ? 1 : 2, 0, 0,
                               CALL_PLAIN, frame);
    call_note(&c, function);
    call_end(&c, 0);
}

#define PRINTS(stream, name)                                                   \
    UNSAFE_IN_HANDLER(name);                                                   \
    printed((stream), #name, __builtin_frame_address(0))

int vprintf(const char *format, va_list list)
{
    PRINTS(stdout, printf);
    return real.vprintf(format, list);
}

int printf(const char *format, ...)
{
    va_list list;

    PRINTS(stdout, printf);
    va_start(list, format);
    int n = real.vprintf(format, list);
    va_end(list);
    return n;
}

int vfprintf(FILE *stream, const char *format, va_list list)
{
    PRINTS(stream, fprintf);
    return real.vfprintf(stream, format, list);
}

int fprintf(FILE *stream, const char *format, ...)
{
    va_list list;

    PRINTS(stream, fprintf);
    va_start(list, format);
    int n = real.vfprintf(stream, format, list);
    va_end(list);
    return n;
}

int puts(const char *text)
{
    PRINTS(stdout, puts);
    return real.puts(text);
}

int fputs(const char *text, FILE *stream)
{
    PRINTS(stream, fputs);
    return real.fputs(text, stream);
}

int putchar(int c)
{
    PRINTS(stdout, putchar);
    return real.putchar(c);
}

int fputc(int c, FILE *stream)
{
    PRINTS(stream, fputc);
    return real.fputc(c, stream);
}

int putc(int c, FILE *stream)
{
    PRINTS(stream, putc);
    return real.putc(c, stream);
}

size_t fwrite(const void *data, size_t size, size_t n, FILE *stream)
{
    PRINTS(stream, fwrite);
    return real.fwrite(data, size, n, stream);
}

int fflush(FILE *stream)
{
    UNSAFE_IN_HANDLER(fflush);
    return real.fflush(stream);
}

void perror(const char *text)
{
    PRINTS(stderr, perror);
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

/* They may look at the locale and allocate. */
int vsnprintf(char *text, size_t size, const char *format, va_list list)
{
    UNSAFE_IN_HANDLER(snprintf);
    return real.vsnprintf(text, size, format, list);
}

int snprintf(char *text, size_t size, const char *format, ...)
{
    va_list list;

    UNSAFE_IN_HANDLER(snprintf);
    va_start(list, format);
    int n = real.vsnprintf(text, size, format, list);
    va_end(list);
    return n;
}

int vsprintf(char *text, const char *format, va_list list)
{
    UNSAFE_IN_HANDLER(sprintf);
    return real.vsprintf(text, format, list);
}

int sprintf(char *text, const char *format, ...)
{
    va_list list;

    UNSAFE_IN_HANDLER(sprintf);
    va_start(list, format);
    int n = real.vsprintf(text, format, list);
    va_end(list);
    return n;
}

char *strerror(int error)
{
    UNSAFE_IN_HANDLER(strerror);
    return real.strerror(error);
}

char *strsignal(int number)
{
    UNSAFE_IN_HANDLER(strsignal);
    return real.strsignal(number);
}

/* They read the time zone's file, under a lock, or allocate. */
struct tm *localtime(const time_t *when)
{
    UNSAFE_IN_HANDLER(localtime);
    return real.localtime(when);
}

struct tm *localtime_r(const time_t *when, struct tm *tm)
{
    UNSAFE_IN_HANDLER(localtime_r);
    return real.localtime_r(when, tm);
}

struct tm *gmtime(const time_t *when)
{
    UNSAFE_IN_HANDLER(gmtime);
    return real.gmtime(when);
}

char *ctime(const time_t *when)
{
    UNSAFE_IN_HANDLER(ctime);
    return real.ctime(when);
}

char *ctime_r(const time_t *when, char *text)
{
    UNSAFE_IN_HANDLER(ctime_r);
    return real.ctime_r(when, text);
}

char *asctime(const struct tm *tm)
{
    UNSAFE_IN_HANDLER(asctime);
    return real.asctime(tm);
}

size_t strftime(char *text, size_t size, const char *format,
                const struct tm *tm)
{
    UNSAFE_IN_HANDLER(strftime);
    return real.strftime(text, size, format, tm);
}

/* POSIX: no pthread function is async-signal-safe, save pthread_kill,
 * pthread_self and pthread_sigmask. */
int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    UNSAFE_IN_HANDLER(pthread_mutex_lock);
    return real.pthread_mutex_lock(mutex);
}

int mtx_lock(mtx_t *mutex)
{
    UNSAFE_IN_HANDLER(mtx_lock);
    return real.mtx_lock(mutex);
}
