/* Right: the socket has time-outs, so that one loop serves both streams.
 * Quick: no */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static const char *reason;

static void net_report(const char *program)
{
    fprintf(stderr, "%s: cannot connect: %s\n", program, reason);
}

static int tcp_connect(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    int fd = -1, error = EAI_SERVICE;
    char *end;
    long number = strtol(port, &end, 10);

    if (end != port && !*end && number >= 0 && number <= 65535)
        error = getaddrinfo(host, port, &hints, &list);
    reason = error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error);
    if (error)
        return -1;
    for (struct addrinfo *at = list; at && fd < 0; at = at->ai_next) {
        fd = socket(at->ai_family, at->ai_socktype, at->ai_protocol);
        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) == 0)
            break;
        reason = strerror(errno);
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(list);
    return fd;
}

#define SAY(what) fprintf(stderr, "client: %s: %s\n", what, strerror(errno))

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s HOST PORT\n", argv[0]);
        exit(2);
    }
    struct sigaction ign;
    memset(&ign, 0, sizeof ign);
    ign.sa_handler = SIG_IGN;
    sigemptyset(&ign.sa_mask);
    sigaction(SIGPIPE, &ign, NULL);

    int s = tcp_connect(argv[1], argv[2]);
    if (s == -1) {
        net_report("client");
        exit(1);
    }
    struct timeval t = {.tv_sec = 0, .tv_usec = 100 * 1000};
    if (setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) ||
        setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t)) {
        SAY("setsockopt");
        exit(1);
    }
    char out[1500], in[1500];
    size_t have = 0, gone = 0;
    unsigned long long sent = 0, back = 0;
    int eof = 0;

    while (!eof || gone < have || back < sent) {
        if (!eof && gone == have) {
            struct pollfd p = {.fd = 0, .events = POLLIN};
            int r = poll(&p, 1, 0);
            if (r < 0 && errno != EINTR) {
                SAY("poll");
                exit(1);
            }
            if (r > 0) {
                ssize_t n = read(0, out, sizeof out);
                if (n < 0 && errno != EINTR && errno != EAGAIN) {
                    SAY("standard input");
                    exit(1);
                }
                if (n == 0) {
                    eof = 1;
                    if (shutdown(s, SHUT_WR) < 0 && back < sent) {
                        SAY("shutdown");
                        exit(1);
                    }
                    continue;
                }
                if (n > 0)
                    have = (size_t)n, gone = 0;
            }
        }
        if (gone < have) {
            ssize_t n = send(s, out + gone, have - gone, 0);
            if (n >= 0)
                gone += (size_t)n, sent += (unsigned long long)n;
            else if (errno != EINTR && errno != EAGAIN) {
                SAY("send");
                exit(1);
            }
        }
        ssize_t n = recv(s, in, sizeof in, 0);
        if (n == 0) {
            fprintf(stderr, "client: connection ended by the server\n");
            exit(1);
        }
        if (n < 0) {
            if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
                continue;
            SAY("recv");
            exit(1);
        }
        back += (unsigned long long)n;
        for (ssize_t w = 0, k; w < n; w += k) {
            k = write(1, in + w, (size_t)(n - w));
            if (k < 0) {
                if (errno == EINTR) {
                    k = 0;
                    continue;
                }
                SAY("standard output");
                exit(1);
            }
        }
    }
    close(s);
    exit(0);
}
