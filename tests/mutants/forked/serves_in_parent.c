/* Wrong: no process is made: a silent client holds up all the others.
 * Fails: concurrency
 * Also: accept
 * Line: none (no fork)
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int try_family(int family, unsigned short port)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6,
                               .sin6_port = htons(port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    int yes = 1, no = 0, rc, saved, fd = socket(family, SOCK_STREAM, 0);

    if (fd == -1)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no)) == -1)
        rc = -1;
    else if (family == AF_INET6)
        rc = bind(fd, (struct sockaddr *)&six, sizeof(six));
    else
        rc = bind(fd, (struct sockaddr *)&four, sizeof(four));
    if (rc == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* One socket for IPv6 and IPv4, or for IPv4 alone where there is no IPv6. */
static int open_port(const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);
    int fd = -1;

    errno = ERANGE;
    if (*end == '\0' && port > 0 && port < 65536) {
        fd = try_family(AF_INET6, (unsigned short)port);
        if (fd == -1)
            fd = try_family(AF_INET, (unsigned short)port);
    }
    if (fd == -1) {
        fprintf(stderr, "cannot serve port %s: %s\n", text, strerror(errno));
        exit(EXIT_FAILURE);
    }
    return fd;
}

static int send_all(int sock, const char *data, size_t size)
{
    size_t sent = 0;

    while (sent < size) {
        ssize_t n = send(sock, data + sent, size - sent, MSG_NOSIGNAL);
        if (n >= 0)
            sent += (size_t)n;
        else if (errno != EINTR)
            return -1;
    }
    return 0;
}

static int serve(int sock)
{
    char data[2048];
    ssize_t n;

    do {
        n = recv(sock, data, sizeof(data), 0);
        if (n > 0 && send_all(sock, data, (size_t)n) == -1)
            return -1;
    } while (n > 0 || (n == -1 && errno == EINTR));
    return (int)n;
}

int main(int argc, char **argv)
{
    int door;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    door = open_port(argv[1]);
    for (;;) {
        int connfd = accept(door, NULL, NULL);

        if (connfd == -1) {
            /* A shortage may last: do not ask again at once. */
            if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
                poll(NULL, 0, 100);
            continue;
        }

        if (serve(connfd) == -1)
            fprintf(stderr, "connection: %s\n", strerror(errno));
        close(connfd);
    }
}
