/* transparent.c - calls, descriptors, streams and threads as a program sees
 * them: transparent.h. */
#define _GNU_SOURCE
#include "transparent.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile int minus_one = -1; /* or the compiler knows better */
static void *volatile null_pointer;

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

static const struct act acts[] = {
    ACT(failing_calls), ACT(kept_errno), ACT(zero_lengths),
    ACT(random_stream), ACT(stdio),      ACT(threads),
    ACT(descriptors),   ACT(waits),      ACT(addresses),
};

int main(int argc, char **argv)
{
    return carry_out(acts, sizeof(acts) / sizeof(acts[0]), argc, argv);
}
