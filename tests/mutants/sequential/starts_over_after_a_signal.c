/* Wrong: a write that a signal interrupts is tried again from the first byte
 *        of the piece: what an earlier short write took is sent twice.
 * Fails: partial
 * Line: 35
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile sig_atomic_t asked;
static unsigned long served;

/* kill -USR1: how many clients so far? */
static void on_usr1(int sig)
{
    (void)sig;
    asked = 1;
}

static int send_piece(int fd, const char *piece, size_t len)
{
    const char *p;
    size_t left;

again:
    p = piece;
    left = len;
    while (left > 0) {
        ssize_t n = write(fd, p, left); /* BUG */

        if (n < 0) {
            if (errno == EINTR)
                goto again;
            return -1;
        }
        p += n;
        left -= (size_t)n;
    }
    return 0;
}

static void serve(int fd)
{
    char piece[4096];
    ssize_t n;

    for (;;) {
        n = read(fd, piece, sizeof piece);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || send_piece(fd, piece, (size_t)n) < 0)
            break;
    }
    if (n != 0)
        fprintf(stderr, "sequential: a client was lost: %s\n", strerror(errno));
}

static int listen_at(const char *arg)
{
    struct sockaddr_in here = {.sin_family = AF_INET};
    int one = 1, fd;
    char *end;
    long port = strtol(arg, &end, 10);

    if (*arg == '\0' || *end != '\0' || port < 1 || port > 65535) {
        errno = EINVAL;
        return -1;
    }
    here.sin_port = htons((unsigned short)port);
    here.sin_addr.s_addr = htonl(INADDR_ANY);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
        bind(fd, (struct sockaddr *)&here, sizeof here) < 0 ||
        listen(fd, SOMAXCONN) < 0)
        return -1; /* the caller ends */
    return fd;
}

int main(int argc, char *argv[])
{
    struct sigaction act;
    int listener;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    memset(&act, 0, sizeof act);
    act.sa_handler = on_usr1;
    sigemptyset(&act.sa_mask);
    if (sigaction(SIGUSR1, &act, NULL) < 0 ||
        (listener = listen_at(argv[1])) < 0) {
        fprintf(stderr, "%s: port %s: %s\n", argv[0], argv[1], strerror(errno));
        return 1;
    }
    for (;;) {
        int fd;

        if (asked) {
            asked = 0;
            fprintf(stderr, "sequential: %lu served\n", served);
        }
        fd = accept(listener, NULL, NULL);
        if (fd < 0) {
            if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
                poll(NULL, 0, 100);
            continue;
        }
        serve(fd);
        close(fd);
        served++;
    }
}
