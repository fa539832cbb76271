/* Right: memory for a client is asked for before the client is there; poll()
 * waits, FIONREAD says how much there is, and just that much is read.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct session {
    int fd;
    unsigned long bytes;
};

static int send_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

/* Returns 0 where the client has ended. */
static int serve(struct session *session)
{
    static char buffer[8192];

    for (;;) {
        struct pollfd input = {.fd = session->fd, .events = POLLIN};
        int there = 0;

        if (poll(&input, 1, -1) < 0)
            continue;
        if (ioctl(session->fd, FIONREAD, &there) < 0)
            return -1;
        if (there < 1)
            there = 1; /* the end, an error, or nothing */
        if (there > (int)sizeof buffer)
            there = sizeof buffer;
        ssize_t n = recv(session->fd, buffer, (size_t)there, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return (int)n;
        if (send_all(session->fd, buffer, (size_t)n) < 0)
            return -1;
        session->bytes += (unsigned long)n;
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
    for (;;) {
        struct session *session = malloc(sizeof *session);
        int fd = accept(listener, NULL, NULL), why = errno;

        if (fd >= 0 && session) {
            *session = (struct session){.fd = fd};
            if (serve(session) < 0)
                fprintf(stderr, "broken after %lu bytes: %s\n", session->bytes,
                        strerror(errno));
        } else if (fd >= 0) {
            fprintf(stderr, "no memory for a client\n");
        } else if (why != EINTR && why != ECONNABORTED && why != EPROTO) {
            poll(NULL, 0, 100);
        }
        if (fd >= 0)
            close(fd);
        free(session);
    }
}
