/* Wrong: makes stdout non-blocking, and forgets what a full pipe did not take.
 * Fails: concurrency
 * Line: 47
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int dial(const char *host, const char *port)
{
    struct addrinfo hints = {0}, *res, *ai;
    int fd = -1, err;
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    err = getaddrinfo(host, port, &hints, &res);
    if (err) {
        fprintf(stderr, "client: %s\n", gai_strerror(err));
        return -1;
    }
    for (ai = res; ai; ai = ai->ai_next) {
        fd = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
        if (fd < 0) {
            err = errno;
            continue;
        }
        if (connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
            break;
        err = errno;
        close(fd);
        fd = -1;
    }
    freeaddrinfo(res);
    if (fd < 0)
        fprintf(stderr, "client: connect: %s\n", strerror(err));
    return fd;
}

static int out(const char *p, size_t n)
{
    write(1, p, n); /* BUG */
    return 0;
}

int main(int argc, char **argv)
{
    char up[8192], down[8192];
    size_t len = 0, off = 0;
    unsigned long long sent = 0, got = 0;
    int eof = 0, shut = 0;

    if (argc != 3) {
        fprintf(stderr, "usage: client HOST PORT\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    int fd = dial(argv[1], argv[2]);
    if (fd < 0)
        return 1;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    fcntl(1, F_SETFL, O_NONBLOCK);
    for (;;) {
        struct pollfd p[2] = {
            {.fd = eof || len ? -1 : 0, .events = POLLIN},
            {.fd = fd, .events = POLLIN | (len ? POLLOUT : 0)}};
        if (poll(p, 2, -1) < 0) {
            if (errno == EINTR)
                continue;
            perror("poll");
            return 1;
        }
        if (p[0].revents) {
            ssize_t n = read(0, up, sizeof up);
            if (n < 0 && errno != EINTR && errno != EAGAIN) {
                perror("stdin");
                return 1;
            }
            if (n == 0)
                eof = 1;
            if (n > 0) {
                len = n;
                off = 0;
            }
        }
        if (len) {
            ssize_t n = send(fd, up + off, len, 0);
            if (n < 0 && errno != EAGAIN && errno != EINTR) {
                perror("send");
                return 1;
            }
            if (n > 0) {
                off += n;
                len -= n;
                sent += n;
            }
        }
        if (eof && !len && !shut) {
            shutdown(fd, SHUT_WR);
            shut = 1;
        }
        if (p[1].revents & ~POLLOUT) {
            ssize_t n = recv(fd, down, sizeof down, 0);
            if (n < 0 && (errno == EAGAIN || errno == EINTR))
                continue;
            if (n < 0 && eof && !len && got == sent)
                return 0;
            if (n < 0) {
                perror("recv");
                return 1;
            }
            if (n == 0)
                goto done;
            if (n > 0) {
                got += n;
                if (out(down, n) < 0)
                    return 1;
            }
        }
    }
done:
    if (got == sent && eof && !len)
        return 0;
    fprintf(stderr, "client: the server has gone\n");
    return 1;
}
