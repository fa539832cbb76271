/* Right: MSG_PEEK or FIONREAD shows what is there, and just that much is read:
 * on a descriptor that never blocks, anything else is taken for an error. The
 * client's name is looked up for the log. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int listener_for(const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags =
                                 AI_PASSIVE | AI_ADDRCONFIG | AI_NUMERICSERV};
    struct addrinfo *list = NULL, *a;
    int fd = -1, on = 1, rc, why = 0;

    rc = strtol(port, NULL, 10) > 65535 || strtol(port, NULL, 10) < 1
             ? EAI_SERVICE
             : getaddrinfo(NULL, port, &hints, &list);
    if (rc != 0) {
        fprintf(stderr, "port %s: %s\n", port, gai_strerror(rc));
        exit(1);
    }
    for (a = list; a != NULL; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (fd >= 0 &&
            setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
            bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, 1024) == 0)
            break;
        why = errno;
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(list);
    if (fd < 0) {
        fprintf(stderr, "port %s: %s\n", port, strerror(why));
        exit(1);
    }
    return fd;
}

static int wait_for(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};

    while (poll(&p, 1, -1) < 0)
        if (errno != EINTR)
            return -1;
    return 0;
}

static int put(int fd, const char *from, size_t n)
{
    while (n > 0) {
        ssize_t done = send(fd, from, n, MSG_NOSIGNAL);

        if (done < 0 && errno == EAGAIN) {
            if (wait_for(fd, POLLOUT) < 0)
                return -1;
        } else if (done < 0 && errno != EINTR) {
            return -1;
        } else if (done > 0) {
            from += done;
            n -= (size_t)done;
        }
    }
    return 0;
}

/* How many to read now: a line, or what there is of one. 0: the end. */
static ssize_t look(int fd, char *buf, size_t size)
{
    for (;;) {
        ssize_t n = recv(fd, buf, size, MSG_PEEK);

        if (n > 0) {
            const char *end = memchr(buf, '\n', (size_t)n);
            return end ? end - buf + 1 : n;
        }
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            return n;
        if (wait_for(fd, POLLIN) < 0)
            return -1;
    }
}

static void talk(int fd)
{
    char line[4000];
    int more;
    ssize_t n;

    while ((n = look(fd, line, sizeof line)) > 0) {
        if (read(fd, line, (size_t)n) != n || put(fd, line, (size_t)n) < 0)
            return;
        if (ioctl(fd, FIONREAD, &more) == 0 && more > 0) {
            char *rest = malloc((size_t)more);

            if (rest == NULL)
                return;
            if (recv(fd, rest, (size_t)more, 0) != more ||
                put(fd, rest, (size_t)more) < 0) {
                free(rest);
                return;
            }
            free(rest);
        }
    }
}

static void log_name(const struct sockaddr_storage *addr, socklen_t len)
{
    char host[NI_MAXHOST], port[NI_MAXSERV];
    int rc = getnameinfo((const struct sockaddr *)addr, len, host, sizeof host,
                         port, sizeof port, 0);

    if (rc != 0)
        fprintf(stderr, "getnameinfo: %s\n", gai_strerror(rc));
    else
        printf("connected to %s, port %s\n", host, port);
}

int main(int argc, char **argv)
{
    int on = 1;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    int listener = listener_for(argv[1]);
    for (;;) {
        struct sockaddr_storage addr;
        socklen_t len = sizeof addr;
        int fd = accept(listener, (struct sockaddr *)&addr, &len);

        if (fd < 0) {
            if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
                usleep(100000);
            continue;
        }
        log_name(&addr, len);
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ioctl(fd, FIONBIO, &on);
        talk(fd);
        close(fd);
    }
}
