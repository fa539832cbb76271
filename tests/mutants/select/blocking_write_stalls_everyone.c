/* Wrong: the connections are blocking and each piece is written to its end,
 * so one client that does not read stops the whole server.
 * Fails: concurrency
 * Line: 44
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* Returns 0 when all is written, -1 when the connection is broken. */
static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len); /* BUG */

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        len -= n;
    }
    return 0;
}

/* Returns 0 while the connection goes on. */
static int echo(int fd)
{
    char buf[4096];
    ssize_t n = read(fd, buf, sizeof(buf));

    if (n < 0)
        return errno == EINTR || errno == EAGAIN ? 0 : -1;
    return n == 0 ? -1 : write_all(fd, buf, n);
}

int main(int argc, char **argv)
{
    int listener, fd, shortage = 0;
    fd_set open_fds;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    listener = listen_on(argv[1]);
    FD_ZERO(&open_fds);
    for (;;) {
        struct timeval tv = {0, 100000};
        fd_set ready = open_fds;

        if (!shortage)
            FD_SET(listener, &ready);
        if (select(FD_SETSIZE, &ready, NULL, NULL, shortage ? &tv : NULL) < 0) {
            if (errno == EINTR)
                continue;
            perror("select");
            return 1;
        }
        shortage = 0;
        for (fd = 0; fd < FD_SETSIZE; fd++) {
            if (fd == listener || !FD_ISSET(fd, &ready) || echo(fd) == 0)
                continue;
            close(fd);
            FD_CLR(fd, &open_fds);
        }
        if (!FD_ISSET(listener, &ready))
            continue;
        fd = accept(listener, NULL, NULL);
        if (fd >= FD_SETSIZE)
            close(fd);
        else if (fd >= 0)
            FD_SET(fd, &open_fds);
        else
            shortage = errno != EAGAIN && errno != EINTR &&
                       errno != ECONNABORTED && errno != EPROTO;
    }
}
