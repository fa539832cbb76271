/* Right: FIONREAD says how much there is before each read, and SIGPIPE is
 * ignored.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

static void broken(void)
{
    static unsigned n;
    dprintf(STDOUT_FILENO, "broken connections: %u\n", ++n);
}

static void serve(int c)
{
    char b[4096];
    for (;;) {
        struct pollfd p = {c, POLLIN, 0};
        int here = 0;
        if (poll(&p, 1, -1) < 0)
            continue;
        if (ioctl(c, FIONREAD, &here) < 0)
            perror("FIONREAD");
        if (here < 1)
            here = 1;
        if (here > (int)sizeof b)
            here = sizeof b;
        ssize_t n = read(c, b, (size_t)here);
        if (n == 0)
            return;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || write_all(c, b, (size_t)n) < 0) {
            broken();
            return;
        }
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int listener, on = 1;
    char *end;
    long port;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    port = strtol(argv[1], &end, 10);
    if (*end || port < 1 || port > 65535) {
        fprintf(stderr, "port %s: %s\n", argv[1], strerror(EINVAL));
        return 1;
    }
    address.sin_port = htons((unsigned short)port);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 ||
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(listener, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(listener, 1024) < 0) {
        fprintf(stderr, "port %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    signal(SIGPIPE, SIG_IGN);
    for (;;) {
        int c = accept(listener, NULL, NULL);
        if (c >= 0) {
            serve(c);
            close(c);
        } else if (errno != EINTR && errno != EPROTO && errno != ECONNABORTED)
            poll(NULL, 0, 100);
    }
}
