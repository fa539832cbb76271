/* Wrong: a failed write is tried three times and each failure counted;
 * one broken connection prints three lines.
 * Fails: sigpipe
 * Line: 77
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

static unsigned long broken;

static void count_broken(void)
{
    printf("broken connections: %lu\n", ++broken);
    fflush(stdout);
}

static bool put(int fd, char *from, size_t count)
{
    size_t sent = 0;
    int tries = 0;
    while (sent < count) {
        struct iovec piece = {from + sent, count - sent};
        ssize_t n = writev(fd, &piece, 1);
        if (n == -1 && errno != EINTR) {
            count_broken(); /* BUG */
            if (++tries == 3)
                return false;
        }
        if (n > 0)
            sent += (size_t)n;
    }
    return true;
}

static void echo(int fd)
{
    char data[8192];
    ssize_t n;
    do {
        struct iovec room = {data, sizeof data};
        n = readv(fd, &room, 1);
        if (n > 0 && !put(fd, data, (size_t)n))
            return;
    } while (n > 0 || (n == -1 && errno == EINTR));
    if (n == -1)
        count_broken();
}

int main(int argc, char **argv)
{
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
    int listener = open_listener(argv[1]);
    while (true) {
        int conn = accept(listener, NULL, NULL);
        if (conn >= 0) {
            echo(conn);
            close(conn);
        } else if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO) {
            poll(NULL, 0, 100); /* accept(2), ERRORS: no descriptor left */
        }
    }
}
