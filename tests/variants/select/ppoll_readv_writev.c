/* Right: ppoll, and readv and writev on both halves of a ring buffer.
 * Quick: no */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MAX = 65536, SIZE = 2048 };

struct conn {
    size_t start, used;
    int eof;
    char ring[SIZE];
};

static struct pollfd pfd[MAX]; /* the listener comes last, at [count] */
static struct conn *conn[MAX];
static int count;

static int open_listener(const char *port)
{
    struct addrinfo hints = {.ai_family = AF_INET,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *ai;
    long number = strtol(port, NULL, 10);
    int fd, on = 1, rc = EAI_SERVICE;

    if (number > 0 && number < 65536)
        rc = getaddrinfo(NULL, port, &hints, &ai);
    if (rc != 0) {
        fprintf(stderr, "port %s: %s\n", port, gai_strerror(rc));
        exit(1);
    }
    fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK, 0);
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 ||
        listen(fd, SOMAXCONN) < 0) {
        fprintf(stderr, "cannot listen on %s: %s\n", port, strerror(errno));
        exit(1);
    }
    freeaddrinfo(ai);
    return fd;
}

static void on_sigpipe(int sig)
{
    (void)sig; /* only so that write answers EPIPE */
}

/* Describes `len` bytes of the ring from `at` on; returns the parts. */
static int parts(struct conn *c, size_t at, size_t len, struct iovec iov[2])
{
    size_t head = SIZE - at < len ? SIZE - at : len;

    iov[0] = (struct iovec){c->ring + at, head};
    iov[1] = (struct iovec){c->ring, len - head};
    return len > head ? 2 : 1;
}

static int serve(int fd, struct conn *c)
{
    struct iovec iov[2];
    ssize_t n;

    if (!c->eof && c->used < SIZE) {
        n = readv(fd, iov,
                  parts(c, (c->start + c->used) % SIZE, SIZE - c->used, iov));
        if (n > 0)
            c->used += n;
        else if (n == 0)
            c->eof = 1;
        else if (errno != EAGAIN && errno != EINTR)
            return -1;
    }
    if (c->used > 0) {
        n = writev(fd, iov, parts(c, c->start, c->used, iov));
        if (n > 0) {
            c->start = (c->start + n) % SIZE;
            c->used -= n;
        } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
            return -1;
        }
    }
    return c->eof && c->used == 0 ? -1 : 0;
}

/* Returns 1 when the listener should rest for a while. */
static int take(int listener)
{
    int fd = accept(listener, NULL, NULL);

    if (fd < 0)
        return errno != EAGAIN && errno != EINTR && errno != ECONNABORTED &&
               errno != EPROTO;
    if (count == MAX - 1 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ||
        (conn[count] = calloc(1, sizeof(struct conn))) == NULL) {
        close(fd);
        return 0;
    }
    pfd[count++].fd = fd;
    return 0;
}

int main(int argc, char **argv)
{
    const struct timespec tenth = {.tv_nsec = 100000000};
    int listener, paused = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, on_sigpipe);
    listener = open_listener(argv[1]);
    for (;;) {
        int arriving, i;

        for (i = 0; i < count; i++) {
            pfd[i].events = 0;
            if (!conn[i]->eof && conn[i]->used < SIZE)
                pfd[i].events |= POLLIN;
            if (conn[i]->used > 0)
                pfd[i].events |= POLLOUT;
        }
        pfd[count].fd = listener;
        pfd[count].events = POLLIN;
        if (ppoll(pfd, paused ? count : count + 1, paused ? &tenth : NULL,
                  NULL) < 0) {
            if (errno == EINTR)
                continue;
            perror("ppoll");
            return 1;
        }
        arriving = !paused && pfd[count].revents != 0;
        for (i = count - 1; i >= 0; i--) {
            if (pfd[i].revents == 0 || serve(pfd[i].fd, conn[i]) == 0)
                continue;
            close(pfd[i].fd);
            free(conn[i]);
            count--;
            pfd[i] = pfd[count];
            conn[i] = conn[count];
        }
        paused = arriving && take(listener);
    }
}
