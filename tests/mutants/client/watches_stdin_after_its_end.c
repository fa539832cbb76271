/* Wrong: stdin that has ended stays in the set, always readable.
 * Fails: idle
 * Line: 104
 */
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

static int dial(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list, *a;
    int fd = -1, why = 0, rc = getaddrinfo(host, port, &hints, &list);

    if (rc != 0) {
        fprintf(stderr, "%s: %s\n", host, gai_strerror(rc));
        return -1;
    }
    for (a = list; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (fd < 0) {
            why = errno;
        } else if (connect(fd, a->ai_addr, a->ai_addrlen) < 0) {
            why = errno;
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    if (fd < 0)
        fprintf(stderr, "%s %s: %s\n", host, port, strerror(why));
    return fd;
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return -1;
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    char out[4096], in[4096];
    size_t at = 0, have = 0;
    unsigned long long sent = 0, got = 0;
    int eof = 0;

    if (argc != 3) {
        fprintf(stderr, "usage: %s HOST PORT\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    int fd = dial(argv[1], argv[2]);
    if (fd < 0) {
        return 1;
    }
    while (!(eof && at == have && got >= sent)) {
        fd_set r, w;
        FD_ZERO(&r);
        FD_ZERO(&w);
        FD_SET(fd, &r);
        if (at < have)
            FD_SET(fd, &w);
        else
            FD_SET(0, &r);
        if (select(fd + 1, &r, &w, NULL, NULL) < 0) {
            if (errno == EINTR)
                continue;
            perror("select");
            return 1;
        }
        if (FD_ISSET(fd, &r)) {
            ssize_t n = recv(fd, in, sizeof in, MSG_DONTWAIT);
            if (n == 0) {
                fprintf(stderr, "server closed the connection too early\n");
                return 1;
            }
            if (n < 0 && errno != EINTR && errno != EAGAIN) {
                perror("recv");
                return 1;
            }
            if (n > 0) {
                got += n;
                if (write_all(1, in, n) < 0) {
                    perror("stdout");
                    return 1;
                }
            }
        }
        if (FD_ISSET(0, &r)) {
            ssize_t n = read(0, out, sizeof out); /* BUG */
            if (n < 0 && errno != EINTR && errno != EAGAIN) {
                perror("stdin");
                return 1;
            }
            if (n == 0) {
                eof = 1;
                shutdown(fd, SHUT_WR);
            }
            if (n > 0) {
                at = 0;
                have = n;
            }
        }
        if (at < have && FD_ISSET(fd, &w)) {
            ssize_t n = send(fd, out + at, have - at, MSG_DONTWAIT);
            if (n < 0 && errno != EINTR && errno != EAGAIN) {
                perror("send");
                return 1;
            }
            if (n > 0) {
                at += n;
                sent += n;
            }
        }
    }
    return 0;
}
