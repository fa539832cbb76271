/* Wrong: SIGUSR1 shall only make it say how many connections broke, but an
 * accept that any signal interrupts ends the loop.
 * Fails: interrupt
 * Line: 119
 */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static void do_nothing(int signo)
{
    (void)signo;
}

static volatile sig_atomic_t asked;

static void on_usr1(int signo)
{
    (void)signo;
    asked = 1;
}

static int try_address(const struct addrinfo *ai)
{
    int yes = 1;
    int fd = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
    if (fd == -1)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
        bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, 64) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static int open_listener(const char *port)
{
    struct addrinfo hints = {.ai_family = AF_INET,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE};
    struct addrinfo *list, *ai;
    int fd = -1;
    int rc = getaddrinfo(NULL, port, &hints, &list);
    if (rc != 0) {
        fprintf(stderr, "getaddrinfo %s: %s\n", port,
                rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
        exit(1);
    }
    for (ai = list; ai != NULL && fd == -1; ai = ai->ai_next)
        fd = try_address(ai);
    if (fd == -1) {
        fprintf(stderr, "cannot listen on %s: %s\n", port, strerror(errno));
        exit(1);
    }
    freeaddrinfo(list);
    return fd;
}

static bool put(int fd, char *from, size_t count)
{
    size_t sent = 0;
    while (sent < count) {
        struct iovec piece = {from + sent, count - sent};
        ssize_t n = writev(fd, &piece, 1);
        if (n == -1 && errno != EINTR)
            return false;
        if (n > 0)
            sent += (size_t)n;
    }
    return true;
}

/* true: the client said good-bye. */
static bool echo(int fd)
{
    char data[8192];
    ssize_t n;
    do {
        struct iovec room = {data, sizeof data};
        n = readv(fd, &room, 1);
        if (n > 0 && !put(fd, data, (size_t)n))
            return false;
    } while (n > 0 || (n == -1 && errno == EINTR));
    return n == 0;
}

int main(int argc, char **argv)
{
    unsigned long broken = 0;
    struct sigaction sa;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        exit(2);
    }
    memset(&sa, 0, sizeof sa);
    sa.sa_handler = do_nothing;
    sigemptyset(&sa.sa_mask);
    sa.sa_flags = SA_RESTART;
    if (sigaction(SIGPIPE, &sa, NULL) == -1) {
        perror("sigaction");
        exit(1);
    }
    sa.sa_handler = on_usr1;
    sa.sa_flags = 0;
    sigaction(SIGUSR1, &sa, NULL);
    int listener = open_listener(argv[1]);
    while (true) {
        int conn = accept(listener, NULL, NULL); /* BUG */
        if (conn >= 0) {
            bool orderly = echo(conn);
            close(conn);
            if (!orderly) {
                printf("broken connections: %lu\n", ++broken);
                fflush(stdout);
            }
        } else if (errno == EINTR) {
            break;
        } else if (errno != ECONNABORTED && errno != EPROTO) {
            poll(NULL, 0, 100); /* accept(2), ERRORS: no descriptor left */
        }
        if (asked)
            fprintf(stderr, "%lu so far\n", broken);
        asked = 0;
    }
    return 0;
}
