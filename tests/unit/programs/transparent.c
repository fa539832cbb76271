/* transparent.c - says what it sees of its calls where none of them is made
 * to fail: results, errno, dispositions, streams. Nothing that it prints
 * differs between two runs. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char buf[4096];
static volatile int sunk;
static volatile int minus_one = -1; /* or the compiler knows better */
static void *volatile null_pointer;

static void told(const char *what, long result, int error)
{
    printf("%s = %ld", what, result);
    if (result == -1)
        printf(" %s", error ? strerrorname_np(error) : "-");
    printf("\n");
}

#define TELL(call)                                                             \
    do {                                                                       \
        errno = 0;                                                             \
        long told_result = (long)(call);                                       \
        told(#call, told_result, errno);                                       \
    } while (0)

/* The same for a call whose success is a descriptor or a process. */
#define TELL_OK(call)                                                          \
    do {                                                                       \
        errno = 0;                                                             \
        long told_result = (long)(call);                                       \
        told(#call, told_result < 0 ? -1 : 0, errno);                          \
    } while (0)

static void failing_calls(void)
{
    int plain = open("/dev/null", O_RDWR), tcp, epoll = epoll_create1(0);
    struct iovec one = {buf, 1};
    struct msghdr msg = {.msg_iov = &one, .msg_iovlen = 1};
    struct epoll_event event = {0};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(1)};

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    tcp = socket(AF_INET, SOCK_STREAM, 0);
    TELL(read(-1, buf, 1));
    TELL(read(999, buf, 1));
    TELL(write(-1, buf, 1));
    TELL(readv(-1, &one, 1));
    TELL(readv(plain, &one, minus_one));
    TELL(writev(-1, &one, 1));
    TELL(writev(plain, &one, minus_one));
    TELL(recv(plain, buf, 1, 0));
    TELL(recv(tcp, buf, 1, 0));
    TELL(recvfrom(-1, buf, 1, 0, NULL, NULL));
    TELL(recvmsg(tcp, &msg, 0));
    TELL(send(plain, buf, 1, 0));
    TELL(send(tcp, buf, 1, MSG_NOSIGNAL));
    TELL(sendto(-1, buf, 1, 0, NULL, 0));
    TELL(sendmsg(tcp, &msg, MSG_NOSIGNAL));
    TELL(sendfile(-1, plain, NULL, 1));
    TELL(splice(plain, NULL, tcp, NULL, 1, 0));
    TELL(close(-1));
    TELL(close(999));
    TELL(dup(-1));
    TELL(dup2(-1, 5));
    TELL(dup2(plain, -1));
    TELL(dup3(plain, plain, 0));
    TELL(fcntl(-1, F_GETFD));
    TELL(fcntl(plain, 99999));
    TELL(socket(-1, SOCK_STREAM, 0));
    TELL(bind(plain, (struct sockaddr *)&at, sizeof(at)));
    TELL(listen(plain, 1));
    TELL(accept(tcp, NULL, NULL));
    TELL(accept4(tcp, NULL, NULL, 12345));
    TELL(accept(plain, NULL, NULL));
    TELL(connect(plain, (struct sockaddr *)&at, sizeof(at)));
    TELL(connect(tcp, (struct sockaddr *)&at, sizeof(at)));
    TELL(shutdown(tcp, SHUT_WR));
    TELL(shutdown(plain, SHUT_WR));
    TELL(setsockopt(tcp, SOL_SOCKET, 99999, &plain, sizeof(plain)));
    TELL(setsockopt(-1, SOL_SOCKET, SO_REUSEADDR, &plain, sizeof(plain)));
    TELL(select(-1, NULL, NULL, NULL, NULL));
    TELL(poll(null_pointer, 1, 0));
    TELL(ppoll(NULL, 0, &(struct timespec){-1, 0}, NULL));
    TELL(epoll_create1(12345));
    TELL(epoll_create(0));
    TELL(epoll_ctl(epoll, EPOLL_CTL_ADD, plain, &event));
    TELL(epoll_ctl(epoll, EPOLL_CTL_DEL, tcp, &event));
    TELL(epoll_ctl(-1, EPOLL_CTL_ADD, tcp, &event));
    TELL(epoll_wait(epoll, &event, 0, 0));
    TELL(epoll_wait(plain, &event, 1, 0));
    TELL(wait(NULL));
    TELL(waitpid(-1, NULL, WNOHANG));
    TELL(waitpid(-1, NULL, 12345));
    TELL(waitid(P_ALL, 0, NULL, WEXITED));
    TELL(wait3(NULL, 0, NULL));
    TELL(wait4(1, NULL, 0, NULL));
    TELL(execve("/nowhere", null_pointer, null_pointer));
    TELL(kill(getpid(), 999));
    TELL(sigaction(SIGKILL, &(struct sigaction){0}, NULL));
    TELL(sigaction(0, NULL, NULL));
    TELL(sigaction(999, NULL, NULL));
    TELL(signal(SIGKILL, SIG_IGN) == SIG_ERR);
    TELL(signal(999, SIG_IGN) == SIG_ERR);
    TELL(sigprocmask(999, &(sigset_t){0}, NULL));
    TELL(pthread_sigmask(999, &(sigset_t){0}, NULL));
    TELL(nanosleep(&(struct timespec){-1, 0}, NULL));
    TELL(clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){-1, 0}, NULL));
    TELL(setitimer(99, NULL, NULL));
    TELL(fdopen(-1, "r") == NULL);
    TELL(fdopen(tcp, "bad") == NULL);
    TELL(malloc((size_t)minus_one - 4095) == NULL);
    TELL(calloc((size_t)minus_one, (size_t)minus_one) == NULL);
    TELL(getaddrinfo("not numeric", NULL,
                     &(struct addrinfo){.ai_flags = AI_NUMERICHOST}, NULL));
}

/* A call that succeeds leaves errno alone. */
static void kept_errno(void)
{
    int both[2];

    if (pipe(both) < 0)
        return;
#define KEEPS(call)                                                            \
    do {                                                                       \
        errno = EXDEV;                                                         \
        (void)!(call);                                                         \
        printf("%s leaves %s\n", #call, strerrorname_np(errno));               \
    } while (0)
    KEEPS(write(both[1], buf, 2));
    KEEPS(read(both[0], buf, 1));
    KEEPS(poll(NULL, 0, 0));
    KEEPS(kill(getpid(), 0));
    KEEPS(sigaction(SIGUSR1, NULL, NULL));
    KEEPS(fcntl(both[0], F_GETFL));
    KEEPS(close(both[0]));
    free(malloc(1));
    KEEPS(dup2(both[1], both[1]));
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    KEEPS(waitpid(child, NULL, 0));
}

static void zero_lengths(void)
{
    int both[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, both) < 0)
        return;
    TELL(write(both[0], buf, 0));
    TELL(send(both[0], buf, 0, 0));
    TELL(read(both[1], buf, 0));
    TELL(recv(both[1], buf, 0, MSG_DONTWAIT));
    TELL(writev(both[0], NULL, 0));
    TELL(readv(both[1], NULL, 0));
    TELL(malloc(0) != NULL);
    TELL(poll(NULL, 0, 0));
}

static void random_stream(void)
{
    int null = open("/dev/null", O_WRONLY);

    srandom(7);
    srand48(7);
    for (int i = 0; i < 5; i++) {
        (void)!write(null, buf, 100);
        (void)!read(-1, buf, 100);
        free(malloc(100));
        printf("random %ld, %d, %ld\n", random(), rand(), lrand48());
    }
}

static void handler_a(int signal)
{
    printf("a: %s\n", sigabbrev_np(signal));
}

static void handler_b(int signal)
{
    printf("b: %s\n", sigabbrev_np(signal));
}

static void handler_c(int signal, siginfo_t *info, void *context)
{
    printf("c: %s %s %s %s\n", sigabbrev_np(signal),
           info->si_signo == signal ? "signo" : "?",
           info->si_pid == getpid() ? "from us" : "?", context ? "ctx" : "?");
}

static const char *name_of(void (*handler)(int))
{
    return handler == SIG_DFL     ? "default"
           : handler == SIG_IGN   ? "ignored"
           : handler == SIG_ERR   ? "error"
           : handler == handler_a ? "a"
           : handler == handler_b ? "b"
                                  : "another";
}

static void tell_disposition(int signal)
{
    struct sigaction action;

    sigaction(signal, NULL, &action);
    printf("%s: %s, flags %x, mask %d\n", sigabbrev_np(signal),
           name_of(action.sa_handler), (unsigned)action.sa_flags & ~0x04000000u,
           sigismember(&action.sa_mask, SIGTERM));
}

static void all_dispositions(void)
{
    for (int signal = 1; signal < 32; signal++)
        tell_disposition(signal);
}

static void dispositions(void)
{
    struct sigaction action = {.sa_handler = handler_b, .sa_flags = SA_RESTART},
                     old;

    all_dispositions();
    printf("was %s\n", name_of(signal(SIGUSR1, handler_a)));
    tell_disposition(SIGUSR1);
    raise(SIGUSR1);
    sigaddset(&action.sa_mask, SIGTERM);
    sigaction(SIGUSR1, &action, &old);
    printf("was %s, flags %x\n", name_of(old.sa_handler),
           (unsigned)old.sa_flags & ~0x04000000u);
    tell_disposition(SIGUSR1);
    raise(SIGUSR1);
    printf("was %s\n", name_of(signal(SIGUSR1, SIG_IGN)));
    raise(SIGUSR1);
    printf("was %s\n", name_of(signal(SIGUSR1, handler_a)));
    raise(SIGUSR1);
    action = (struct sigaction){.sa_sigaction = handler_c,
                                .sa_flags = SA_SIGINFO | SA_RESETHAND};
    sigaction(SIGUSR2, &action, NULL);
    tell_disposition(SIGUSR2);
    kill(getpid(), SIGUSR2);
    tell_disposition(SIGUSR2);
    printf("was %s\n", name_of(signal(SIGUSR2, SIG_DFL)));
    printf("SIGKILL: %d\n", sigaction(SIGKILL, &action, &old));
    tell_disposition(SIGKILL);
    all_dispositions();
}

static void inherited_dispositions(void)
{
    signal(SIGUSR1, handler_a);
    signal(SIGUSR2, SIG_IGN);
    fflush(stdout);
    if (fork() == 0) {
        tell_disposition(SIGUSR1);
        tell_disposition(SIGUSR2);
        raise(SIGUSR1);
        signal(SIGUSR1, handler_b);
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
    tell_disposition(SIGUSR1);
    raise(SIGUSR1);
}

static void mask(const char *when)
{
    sigset_t set;

    sigprocmask(SIG_SETMASK, NULL, &set);
    printf("%s:", when);
    for (int signal = 1; signal < 32; signal++)
        if (sigismember(&set, signal))
            printf(" %s", sigabbrev_np(signal));
    printf("\n");
}

static void handler_mask(int signal)
{
    (void)signal;
    mask("in the handler");
}

static void masks(void)
{
    struct sigaction action = {.sa_handler = handler_mask};
    sigset_t set;

    mask("at first");
    sigaddset(&action.sa_mask, SIGTERM);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    mask("behind it");
    action.sa_flags = SA_NODEFER;
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    mask("blocked");
}

static void processes(void)
{
    pid_t parent = getpid(), child;
    int both[2], status;
    pid_t seen[2];

    if (pipe(both) < 0)
        return;
    child = fork();
    if (child == 0) {
        seen[0] = getpid();
        seen[1] = getppid();
        (void)!write(both[1], seen, sizeof(seen));
        _exit(3);
    }
    (void)!read(both[0], seen, sizeof(seen));
    printf("getpid %d, getppid %d\n", seen[0] == child, seen[1] == parent);
    printf("waitpid %d\n", waitpid(child, &status, 0) == child);
    printf("exited %d with %d\n", WIFEXITED(status), WEXITSTATUS(status));
    child = vfork();
    if (child == 0)
        _exit(4);
    printf("wait4 %d\n", wait4(child, &status, 0, NULL) == child);
    printf("exited with %d\n", WEXITSTATUS(status));
    child = fork();
    if (child == 0)
        for (;;)
            pause();
    kill(child, SIGTERM);
    printf("wait %d\n", wait(&status) == child);
    printf("signalled %d by %d\n", WIFSIGNALED(status), WTERMSIG(status));
}

static sigjmp_buf back;

static void handler_jump(int signal)
{
    siglongjmp(back, signal);
}

static void jumps(void)
{
    int both[2];

    if (pipe(both) < 0)
        return;
    signal(SIGUSR1, handler_jump);
    for (int i = 0; i < 3; i++) {
        if (sigsetjmp(back, 1) == 0)
            raise(SIGUSR1);
        else
            printf("jumped\n");
        TELL(write(both[1], "x", 1));
        TELL(read(both[0], buf, 10));
        mask("behind the jump");
    }
}

static int connect_to(int listener)
{
    struct sockaddr_in at;
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    getsockname(listener, (struct sockaddr *)&at, &len);
    TELL(connect(fd, (struct sockaddr *)&at, len));
    return fd;
}

static void stdio(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    int listener = socket(AF_INET, SOCK_STREAM, 0), near, far;

    bind(listener, (struct sockaddr *)&at, sizeof(at));
    listen(listener, 1);
    near = connect_to(listener);
    far = accept(listener, NULL, NULL);
    TELL(dprintf(near, "%d and %s\n", 42, "more"));
    TELL(read(far, buf, 100));
    FILE *in = fdopen(near, "r"), *out = fdopen(dup(near), "w");
    printf("fileno %d\n", fileno(in) == near);
    TELL(fprintf(out, "a line\n"));
    TELL(recv(far, buf, 10, MSG_DONTWAIT));
    TELL(fflush(out));
    TELL(recv(far, buf, 10, 0));
    TELL(write(far, "first\nsecond\n", 13));
    printf("%s", fgets(buf, sizeof(buf), in));
    printf("%s", fgets(buf, sizeof(buf), in));
    TELL(close(far));
    TELL(fgets(buf, sizeof(buf), in) == NULL);
    TELL(feof(in));
    TELL(ferror(in));
    TELL(fputs("x", out));
    signal(SIGPIPE, SIG_IGN);
    TELL(fclose(out));
    TELL(fclose(in));
    TELL(fcntl(near, F_GETFD));
}

static void *worker(void *arg)
{
    *(int *)arg += 1;
    return arg;
}

static void *blocked(void *arg)
{
    (void)!read(*(int *)arg, buf, 1);
    return NULL;
}

static void threads(void)
{
    pthread_attr_t attr;
    pthread_t thread;
    int count = 0, both[2];
    void *result;

    TELL(pthread_create(&thread, NULL, worker, &count));
    TELL(pthread_join(thread, &result));
    printf("count %d, result %d\n", count, result == &count);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    TELL(pthread_create(&thread, &attr, worker, &count));
    if (pipe(both) < 0)
        return;
    TELL(pthread_create(&thread, NULL, blocked, &both[0]));
    TELL(pthread_cancel(thread));
    TELL(pthread_join(thread, &result));
    printf("cancelled %d\n", result == PTHREAD_CANCELED);
}

static void descriptors(void)
{
    int null = open("/dev/null", O_RDONLY), high;

    TELL_OK(dup(null));
    TELL(dup2(null, 77));
    TELL(dup3(null, 78, O_CLOEXEC));
    TELL(fcntl(78, F_GETFD));
    high = fcntl(null, F_DUPFD, 90);
    TELL(high);
    TELL(fcntl(null, F_DUPFD_CLOEXEC, 95));
    TELL(fcntl(high, F_GETFD));
    TELL(fcntl(null, F_SETFL, O_NONBLOCK));
    TELL((fcntl(null, F_GETFL) & O_NONBLOCK) != 0);
    TELL(close(high));
    TELL(close(high));
}

static void waits(void)
{
    struct timeval none = {0, 0};
    struct timespec nothing = {0, 0};
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = 5};
    int both[2], epoll = epoll_create1(EPOLL_CLOEXEC);
    fd_set set;

    if (pipe(both) < 0)
        return;
    TELL(write(both[1], "x", 1));
    FD_ZERO(&set);
    FD_SET(both[0], &set);
    TELL(select(both[0] + 1, &set, NULL, NULL, &none));
    TELL(FD_ISSET(both[0], &set) != 0);
    TELL(pselect(0, NULL, NULL, NULL, &nothing, NULL));
    TELL(poll(&(struct pollfd){both[0], POLLIN, 0}, 1, -1));
    TELL(ppoll(&(struct pollfd){both[0], POLLIN, 0}, 1, NULL, NULL));
    TELL(epoll_ctl(epoll, EPOLL_CTL_ADD, both[0], &event));
    TELL(epoll_wait(epoll, &event, 1, -1));
    TELL(event.data.u32);
    TELL(epoll_pwait(epoll, &event, 1, 0, NULL));
    TELL(nanosleep(&nothing, NULL));
    TELL(usleep(1));
    TELL(sleep(0));
    TELL(alarm(1000));
    TELL(alarm(0) > 900);
}

static void addresses(void)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_PASSIVE,
                             .ai_socktype = SOCK_STREAM},
                    *list;
    char host[64], service[16];

    TELL(getaddrinfo("127.0.0.1", "8080", &hints, &list));
    for (struct addrinfo *at = list; at; at = at->ai_next) {
        getnameinfo(at->ai_addr, at->ai_addrlen, host, sizeof(host), service,
                    sizeof(service), NI_NUMERICHOST | NI_NUMERICSERV);
        printf("%s %s %d\n", host, service, at->ai_socktype);
    }
    freeaddrinfo(list);
    TELL(getaddrinfo("::1", "nosuchservice", &hints, &list));
}

static void at_exit(void)
{
    printf("at exit\n");
}

static void ends(void)
{
    printf("unflushed");
    atexit(at_exit);
    exit(5);
}

static void ends_at_once(void)
{
    atexit(at_exit);
    printf("lost");
    _exit(6);
}

static void dies_by_sigpipe(void)
{
    int both[2];

    if (pipe(both) < 0)
        return;
    close(both[0]);
    printf("before\n");
    fflush(stdout);
    sunk = (int)write(both[1], "x", 1);
    printf("after\n");
}

static void aborts(void)
{
    fflush(stdout);
    abort();
}

static const struct {
    const char *name;
    void (*act)(void);
} acts[] = {
    {"failing_calls", failing_calls},
    {"kept_errno", kept_errno},
    {"zero_lengths", zero_lengths},
    {"random_stream", random_stream},
    {"dispositions", dispositions},
    {"inherited_dispositions", inherited_dispositions},
    {"masks", masks},
    {"processes", processes},
    {"jumps", jumps},
    {"stdio", stdio},
    {"threads", threads},
    {"descriptors", descriptors},
    {"waits", waits},
    {"addresses", addresses},
    {"ends", ends},
    {"ends_at_once", ends_at_once},
    {"dies_by_sigpipe", dies_by_sigpipe},
    {"aborts", aborts},
};

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOFBF, 65536);
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
        if (argc == 2 && strcmp(argv[1], acts[i].name) == 0) {
            acts[i].act();
            return 0;
        }
    return 97;
}
