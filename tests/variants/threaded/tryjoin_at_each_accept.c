/* Right: joinable threads on a list; before each accept, pthread_tryjoin_np()
 * takes those that have ended, and main reads and frees what they wrote into
 * their structs, by no lock: the join is the order. The totals are two atomic
 * numbers; epoll waits for clients and for a signalfd.
 * Quick: no */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct job {
    struct job *next;
    pthread_t thread;
    int fd;
    /* the thread's, until it has been joined */
    unsigned reads, writes;
    int error;
};

static struct job *jobs;
static atomic_ulong ended;
static atomic_ullong echoed;

static bool put(struct job *j, const char *p, const char *end)
{
    while (p < end) {
        ssize_t n = send(j->fd, p, (size_t)(end - p), MSG_NOSIGNAL);

        if (n >= 0) {
            j->writes++;
            atomic_fetch_add(&echoed, (unsigned long long)n);
            p += n;
        } else if (errno != EINTR) {
            j->error = errno;
            return false;
        }
    }
    return true;
}

static void *run(void *arg)
{
    struct job *j = arg;
    char sheet[12000];

    for (;;) {
        ssize_t n = read(j->fd, sheet, sizeof sheet);

        if (n == 0)
            break;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            j->error = errno;
            break;
        }
        j->reads++;
        if (!put(j, sheet, sheet + n))
            break;
    }
    atomic_fetch_add(&ended, 1);
    close(j->fd);
    return j;
}

/* Those that have ended. */
static void collect(void)
{
    struct job **at = &jobs;

    while (*at) {
        struct job *j = *at;
        void *result;

        if (pthread_tryjoin_np(j->thread, &result) != 0) {
            at = &j->next;
            continue;
        }
        *at = j->next;
        fprintf(stderr, "%u reads, %u writes: %s\n", j->reads, j->writes,
                j->error ? strerror(j->error) : "well");
        free(result);
    }
}

static void start(int fd)
{
    struct job *j = calloc(1, sizeof *j);
    int error = j ? 0 : ENOMEM;

    if (j) {
        j->fd = fd;
        error = pthread_create(&j->thread, NULL, run, j);
    }
    if (error) {
        fprintf(stderr, "a client less: %s\n", strerror(error));
        free(j);
        close(fd);
        return;
    }
    j->next = jobs;
    jobs = j;
}

/* false: in want of something */
static bool receive(int door)
{
    int fd;

    collect();
    fd = accept4(door, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0) {
        start(fd);
        return true;
    }
    return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED ||
           errno == EPROTO;
}

static _Noreturn void quit(const char *why)
{
    perror(why);
    exit(1);
}

static int make_door(const char *arg)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr *at = (struct sockaddr *)&six;
    socklen_t len = sizeof six;
    char *end;
    const int on = 1, off = 0;
    unsigned long port = strtoul(arg, &end, 10);
    int s;

    if (!*arg || *end || *arg == '-' || port > 65535) {
        errno = EINVAL;
        quit(arg);
    }
    six.sin6_port = four.sin_port = htons((in_port_t)port);
    s = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s < 0 && errno == EAFNOSUPPORT) {
        at = (struct sockaddr *)&four;
        len = sizeof four;
        s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    }
    if (s < 0)
        quit("socket");
    if (setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        (len == sizeof six &&
         setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0))
        quit("setsockopt");
    if (bind(s, at, len) < 0)
        quit("bind");
    if (listen(s, SOMAXCONN) < 0)
        quit("listen");
    return s;
}

int main(int argc, char **argv)
{
    struct epoll_event news[2], client = {.events = EPOLLIN},
                                stop = {.events = EPOLLIN};
    bool resting = false, stopped = false;
    sigset_t both;
    int door, bell, ep, n;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    sigemptyset(&both);
    sigaddset(&both, SIGINT);
    sigaddset(&both, SIGTERM);
    sigprocmask(SIG_BLOCK, &both, NULL);
    door = make_door(argv[1]);
    if ((bell = signalfd(-1, &both, SFD_NONBLOCK | SFD_CLOEXEC)) < 0)
        quit("signalfd");
    if ((ep = epoll_create1(EPOLL_CLOEXEC)) < 0)
        quit("epoll_create1");
    client.data.fd = door;
    stop.data.fd = bell;
    if (epoll_ctl(ep, EPOLL_CTL_ADD, door, &client) < 0 ||
        epoll_ctl(ep, EPOLL_CTL_ADD, bell, &stop) < 0)
        quit("epoll_ctl");
    while (!stopped) {
        n = epoll_wait(ep, news, 2, resting ? 100 : -1);
        if (n < 0)
            continue; /* EINTR: a debugger's */
        if (resting) {
            client.events = EPOLLIN;
            resting = epoll_ctl(ep, EPOLL_CTL_MOD, door, &client) < 0;
        }
        while (n-- > 0)
            if (news[n].data.fd == bell) {
                struct signalfd_siginfo which;

                stopped = read(bell, &which, sizeof which) == sizeof which;
            } else if (!receive(door)) {
                client.events = 0;
                resting = epoll_ctl(ep, EPOLL_CTL_MOD, door, &client) == 0;
            }
    }
    close(door);
    collect();
    printf("served %lu connections, %llu bytes\n", atomic_load(&ended),
           atomic_load(&echoed));
    return fflush(stdout) == 0 ? 0 : 1;
}
