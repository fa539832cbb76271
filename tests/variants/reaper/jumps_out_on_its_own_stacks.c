/* Right: as on a small machine, every stack is given: the server runs in a
 * thread on a static one, handlers on another (sigaltstack). The handler of
 * SIGCHLD leaves the wait for a client by siglongjmp(), which a poll() of no
 * effect makes safe; SIGCHLD is let in there only. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK (512 * 1024)

static alignas(4096) char server_stack[STACK];
static sigjmp_buf at_the_wait;
static sigset_t sigchld;
static int listener;

static void on_child(int number)
{
    (void)number;
    siglongjmp(at_the_wait, 1);
}

static void reap(void)
{
    pid_t pid;

    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
        fprintf(stderr, "child %ld has ended\n", (long)pid);
}

/* Both are async-signal-safe, and may be left for good: signal-safety(7). */
static void wait_for_client(void)
{
    struct pollfd p = {.fd = listener, .events = POLLIN};

    pthread_sigmask(SIG_UNBLOCK, &sigchld, NULL);
    poll(&p, 1, -1);
    pthread_sigmask(SIG_BLOCK, &sigchld, NULL);
}

static int echo(int fd)
{
    char part[4000];

    for (;;) {
        ssize_t n = read(fd, part, sizeof(part));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? 0 : -1;
        for (ssize_t sent = 0; sent < n;) {
            ssize_t k = write(fd, part + sent, (size_t)(n - sent));

            if (k < 0 && errno != EINTR)
                return -1;
            if (k > 0)
                sent += k;
        }
    }
}

static void take_client(void)
{
    int fd = accept(listener, NULL, NULL); /* does not block */
    pid_t pid;

    if (fd < 0) {
        if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED ||
            errno == EPROTO)
            return;
        perror("accept");
        /* children that end meanwhile are reaped right after */
        poll(NULL, 0, 100);
        return;
    }
    pid = fork();
    if (pid == 0) {
        close(listener);
        signal(SIGCHLD, SIG_DFL);
        pthread_sigmask(SIG_UNBLOCK, &sigchld, NULL);
        _exit(echo(fd) == 0 ? 0 : 1);
    }
    if (pid < 0)
        perror("fork");
    close(fd);
}

static void *serve_all(void *on_stack)
{
    const stack_t handlers = {.ss_sp = on_stack, .ss_size = STACK};
    static volatile unsigned long jumps;

    if (sigaltstack(&handlers, NULL) == -1) {
        perror("sigaltstack");
        exit(EXIT_FAILURE);
    }
    if (sigsetjmp(at_the_wait, 1) != 0) /* SIGCHLD is blocked again */
        jumps++;
    if (jumps % 1000 == 1)
        fprintf(stderr, "%lu signals\n", jumps);
    for (;;) {
        reap();
        wait_for_client();
        take_client();
    }
    return NULL;
}

static int listen_on(const char *text)
{
    struct sockaddr_in me = {.sin_family = AF_INET};
    char *end;
    long port = strtol(text, &end, 10);
    int fd, on = 1;

    if (end == text || *end || port < 0 || port > 65535) {
        fprintf(stderr, "reaper: %s: %s\n", text, strerror(EINVAL));
        return -1;
    }
    me.sin_port = htons((in_port_t)port);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd >= 0 &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        bind(fd, (struct sockaddr *)&me, sizeof(me)) == 0 &&
        listen(fd, 200) == 0)
        return fd;
    fprintf(stderr, "reaper: %s: %s\n", text, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

int main(int argc, char **argv)
{
    struct sigaction act = {.sa_handler = on_child,
                            .sa_flags = SA_ONSTACK | SA_NOCLDSTOP};
    pthread_attr_t attr;
    pthread_t server;
    void *stack;
    int error;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    listener = listen_on(argv[1]);
    if (listener < 0)
        return 1;
    stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    signal(SIGPIPE, SIG_IGN);
    /* for both threads: only wait_for_client() lets it in */
    sigemptyset(&sigchld);
    sigaddset(&sigchld, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &sigchld, NULL);
    sigemptyset(&act.sa_mask);
    if (sigaction(SIGCHLD, &act, NULL) == -1) {
        perror("sigaction");
        return 1;
    }
    error = pthread_attr_init(&attr);
    if (error == 0)
        error = pthread_attr_setstack(&attr, server_stack, STACK);
    if (error == 0)
        error = pthread_create(&server, &attr, serve_all, stack);
    if (error == 0)
        pthread_join(server, NULL); /* for ever */
    fprintf(stderr, "no thread: %s\n", strerror(error));
    serve_all(stack); /* main's own stack will do, too */
    return 1;
}
