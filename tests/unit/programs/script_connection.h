/* script_connection.h - what script.c prints, and the connection that its calls
 * are made on. */
#ifndef SCRIPT_CONNECTION_H
#define SCRIPT_CONNECTION_H

#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROOM 65536

/* In a function of `word`: what that one gives. */
#define WORD(name, result)                                                     \
    do {                                                                       \
        if (strcmp(word, name) == 0)                                           \
            return result;                                                     \
    } while (0)

static int listener = -1, near = -1, far = -1;
static char bytes[ROOM];

static void say(const char *format, ...)
{
    char text[512];
    va_list list;

    va_start(list, format);
    int len = vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    if (write(1, text, (size_t)len) < 0)
        _exit(99);
}

static void say_result(const char *word, long result)
{
    int error = errno;

    if (result == -1)
        say("%s=%s ", word, error ? strerrorname_np(error) : "-1");
    else
        say("%s=%ld ", word, result);
}

static void die(const char *what)
{
    say("%s failed: %s\n", what, strerror(errno));
    _exit(98);
}

/* ---- The connection ---- */

static void make_listener(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
        listen(listener, 16) < 0)
        die("listen");
}

static int connected(void)
{
    struct sockaddr_in at;
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (listener < 0)
        make_listener();
    getsockname(listener, (struct sockaddr *)&at, &len);
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
        die("connect");
    return fd;
}

static void make_connection(void)
{
    near = connected();
    far = accept(listener, NULL, NULL);
    if (far < 0)
        die("accept");
}

/* Far sends; when it returns, all of it has come. Past the interposer: the
 * program itself has not looked. */
static void put(long n)
{
    int there = 0;

    if (write(far, bytes, (size_t)n) != n)
        die("put");
    while (syscall(SYS_ioctl, near, FIONREAD, &there) == 0 && there < n)
        sched_yield();
}

static void take(long n)
{
    long got = 0, r = 1;

    while (got < n && (r = read(far, bytes, (size_t)(n - got))) > 0)
        got += r;
    say_result("take", r < 0 ? -1 : got);
}

#endif
