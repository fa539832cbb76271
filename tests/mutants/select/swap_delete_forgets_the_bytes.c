/* Wrong: when a connection ends the last one takes its index, with its
 * lengths but without its bytes: it is sent those of the one that ended.
 * Fails: concurrency
 * Line: 83
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX = 8192, SIZE = 2048 };

static struct pollfd pfd[MAX];
static struct {
    int eof;
    size_t off, len;
} state[MAX];
static char bytes[MAX][SIZE];
static int count = 1;

static int listen_on(const char *text)
{
    struct sockaddr_in addr = {.sin_family = AF_INET};
    char *end;
    long port = strtol(text, &end, 10);
    int fd, on = 1;

    if (end == text || *end != '\0' || port < 1 || port > 65535) {
        fprintf(stderr, "port %s: %s\n", text, strerror(EINVAL));
        exit(1);
    }
    addr.sin_port = htons(port);
    addr.sin_addr.s_addr = htonl(INADDR_ANY);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
        listen(fd, SOMAXCONN) < 0) {
        perror("cannot listen");
        exit(1);
    }
    return fd;
}

/* accept(2), ERRORS: the ones that pass by themselves */
static int passing(int err)
{
    return err == EAGAIN || err == EINTR || err == ECONNABORTED ||
           err == EPROTO;
}

static void delete (int i)
{
    close(pfd[i].fd);
    count--;
    pfd[i] = pfd[count];
    state[i] = state[count];
}

static int busy(void)
{
    return errno == EAGAIN || errno == EINTR;
}

/* Returns 0 when connection i has come to its end. */
static int serve(int i)
{
    ssize_t n;

    if (!state[i].eof && state[i].len < SIZE) {
        n = recv(pfd[i].fd, bytes[i] + state[i].len, SIZE - state[i].len, 0);
        if (n < 0 && !busy())
            return 0;
        state[i].eof = n == 0;
        state[i].len += n > 0 ? n : 0;
    }
    if (state[i].len > 0) {
        n = send(pfd[i].fd, bytes[i] + state[i].off, /* BUG */
                 state[i].len - state[i].off, MSG_NOSIGNAL);
        if (n < 0 && !busy())
            return 0;
        state[i].off += n > 0 ? n : 0;
    }
    if (state[i].off == state[i].len)
        state[i].off = state[i].len = 0;
    return !state[i].eof || state[i].len > 0;
}

static void set_events(int i)
{
    pfd[i].events = state[i].len > 0 ? POLLOUT : 0;
    if (!state[i].eof && state[i].len < SIZE)
        pfd[i].events |= POLLIN;
}

static void add(int fd)
{
    if (count == MAX || fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
        close(fd);
        return;
    }
    pfd[count].fd = fd;
    pfd[count].revents = 0;
    state[count].eof = 0;
    state[count].off = state[count].len = 0;
    set_events(count++);
}

int main(int argc, char **argv)
{
    int listener, i, fd, paused = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    listener = listen_on(argv[1]);
    for (;;) {
        pfd[0].fd = paused ? -1 : listener;
        pfd[0].events = POLLIN;
        if (poll(pfd, count, paused ? 100 : -1) < 0) {
            if (errno == EINTR)
                continue;
            perror("poll");
            return 1;
        }
        for (i = count - 1; i > 0; i--) {
            if (pfd[i].revents == 0)
                continue;
            if (serve(i))
                set_events(i);
            else
                delete (i);
        }
        paused = 0;
        if (pfd[0].revents == 0)
            continue;
        if ((fd = accept(listener, NULL, NULL)) >= 0)
            add(fd);
        else
            paused = !passing(errno);
    }
}
