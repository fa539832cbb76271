/* lives.c - begins and ends in the way that its argument says. */
#define _GNU_SOURCE
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static int runs;

static void wait_for_ever(void)
{
    for (;;)
        pause();
}

static void tell_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;
    int highest = 0, count = 0;

    while ((entry = readdir(dir)))
        if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(dir)) {
            count++;
            if (atoi(entry->d_name) > highest)
                highest = atoi(entry->d_name);
        }
    printf("%d, up to %d", count, highest);
}

static void tell_signals(void)
{
    struct sigaction action;
    sigset_t set;

    sigprocmask(SIG_SETMASK, NULL, &set);
    for (int signal = 1; signal < 65; signal++) {
        if (sigismember(&set, signal) == 1)
            printf("%d is blocked ", signal);
        if (sigaction(signal, NULL, &action) == 0 &&
            action.sa_handler != SIG_DFL)
            printf("%d is not default ", signal);
    }
    printf("told");
}

static void tell_limit(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    printf("%lu %lu", (unsigned long)limit.rlim_cur,
           (unsigned long)limit.rlim_max);
}

static void copy(void)
{
    char text[256];
    ssize_t n;

    while ((n = read(0, text, sizeof(text))) > 0)
        if (write(1, text, (size_t)n) != n)
            exit(1);
}

/* One of each kind that is hard to end. */
static void have_children(void)
{
    if (fork() == 0)
        wait_for_ever();
    if (fork() == 0) {
        setsid();
        for (int n = 1; n < 32; n++)
            signal(n, SIG_IGN);
        wait_for_ever();
    }
    if (fork() == 0) {
        raise(SIGSTOP);
        wait_for_ever();
    }
    if (fork() == 0) {
        setsid();
        if (fork() == 0)
            wait_for_ever();
        _exit(0);
    }
    if (fork() == 0)
        _exit(0); /* a zombie */
    if (write(1, "ready\n", 6) == 6)
        wait_for_ever();
}

int main(int argc, char **argv)
{
    const char *act = argc > 1 ? argv[1] : "";

    if (strcmp(act, "exit") == 0)
        exit(atoi(argv[2]));
    if (strcmp(act, "return") == 0)
        return atoi(argv[2]);
    if (strcmp(act, "signal") == 0)
        raise(atoi(argv[2]));
    if (strcmp(act, "args") == 0)
        for (int i = 0; i <= argc; i++)
            printf("<%s>", i < argc ? argv[i] : argv[i] ? "?" : "end");
    if (strcmp(act, "descriptors") == 0)
        tell_descriptors();
    if (strcmp(act, "signals") == 0)
        tell_signals();
    if (strcmp(act, "limit") == 0)
        tell_limit();
    if (strcmp(act, "copy") == 0)
        copy();
    if (strcmp(act, "runs") == 0)
        printf("%d", ++runs);
    if (strcmp(act, "both") == 0)
        fputs("err", stderr), fputs("out", stdout);
    if (strcmp(act, "environment") == 0)
        printf("%s", getenv("FAULTLINE") ? "told" : "clean");
    if (strcmp(act, "children") == 0)
        have_children();
    if (strcmp(act, "wait") == 0 && write(1, "ready\n", 6) == 6)
        wait_for_ever();
    return 0;
}
