/* script_signals.h - script.c's handlers, and the calls that a signal wakes it
 * from. */
#ifndef SCRIPT_SIGNALS_H
#define SCRIPT_SIGNALS_H

#include "script_connection.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

static volatile sig_atomic_t handled;
static sigjmp_buf back;
static const char *in_handler = "";
static const char *volatile empty = "";
static void *volatile allocated;

static int signal_of(const char *name)
{
    for (int n = 1; n < 32; n++)
        if (strcmp(sigabbrev_np(n), name) == 0)
            return n;
    die(name);
    return 0;
}

static void on_signal(int signal)
{
    int error = errno;

    handled++;
    if (strcmp(in_handler, "printf") == 0)
        printf("%s", empty);
    else if (strcmp(in_handler, "malloc") == 0)
        free(allocated = malloc(10));
    else if (strcmp(in_handler, "words") == 0) {
        char words[64];

        snprintf(words, sizeof(words), "%s", strerror(signal));
        dprintf(1, "%s", empty);
    } else if (strcmp(in_handler, "lock") == 0) {
        static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

        pthread_mutex_lock(&mutex);
        pthread_mutex_unlock(&mutex);
    } else if (strcmp(in_handler, "waitpid") == 0)
        waitpid(-1, NULL, WNOHANG);
    else if (strcmp(in_handler, "longjmp") == 0)
        siglongjmp(back, signal);
    else if (strcmp(in_handler, "longjmp-after-printf") == 0) {
        printf("%s", empty);
        siglongjmp(back, signal);
    }
    errno = error;
    if (strcmp(in_handler, "spoil") == 0)
        errno = EXDEV;
}

static void install(const char *name, int flags)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};

    if (sigaction(signal_of(name), &action, NULL) < 0)
        die("sigaction");
}

#define STACK (1 << 16)

static char *upper_stack; /* above all that main() calls */

static void install_on_stack(const char *name)
{
    const stack_t stack = {.ss_sp = upper_stack, .ss_size = STACK};

    if (sigaltstack(&stack, NULL) < 0)
        die("sigaltstack");
    install(name, SA_ONSTACK);
}

static void block(const char *name, int how)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, signal_of(name));
    pthread_sigmask(how, &set, NULL);
}

static void serve(void)
{
    if (far >= 0 && write(far, bytes, 3) != 3)
        die("serve");
    else if (far < 0)
        connected();
}

/* A child that signals us once we are asleep in a call; with `then`, what
 * the call waits for comes afterwards. */
static pid_t wake_when_asleep(bool then)
{
    pid_t parent = getpid(), pid = fork();
    char path[64], stat[512];

    if (pid != 0)
        return pid;
    snprintf(path, sizeof(path), "/proc/%d/stat", parent);
    for (;;) {
        int fd = open(path, O_RDONLY);
        ssize_t n = read(fd, stat, sizeof(stat) - 1);

        close(fd);
        stat[n > 0 ? n : 0] = '\0';
        char *end = strrchr(stat, ')');
        if (end && end[2] == 'S')
            break;
    }
    kill(parent, SIGUSR1);
    if (then)
        serve();
    _exit(0);
}

static long sleep_in(const char *word)
{
    errno = 0;
    WORD("read", read(near, bytes, 10));
    WORD("recv", recv(near, bytes, 10, 0));
    WORD("readv", readv(near, &(struct iovec){bytes, 10}, 1));
    WORD("accept", accept(listener, NULL, NULL) < 0 ? -1 : 0);
    WORD("poll", poll(&(struct pollfd){near, POLLIN, 0}, 1, -1));
    WORD("select", select(0, NULL, NULL, NULL, NULL));
    WORD("nanosleep", nanosleep(&(struct timespec){1000, 0}, NULL));
    WORD("sleep", sleep(1000) > 0);
    WORD("wait", waitpid(-1, NULL, 0) < 0 ? -1 : 0);
    return pause();
}

static void woken(const char *name, bool then)
{
    pid_t child = wake_when_asleep(then);

    say_result(name, sleep_in(name));
    say("handled=%d ", (int)handled);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
}

#endif
