/* Right: says at length that something is short, and rests for a while.
 * Quick: no */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int listen_on(const char *text)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    char *end;
    long port = strtol(text, &end, 10);
    int fd, on = 1;

    if (*end != '\0' || port < 1 || port > 65535) {
        fprintf(stderr, "bad port: %s\n", text);
        exit(1);
    }
    any.sin_addr.s_addr = htonl(INADDR_ANY);
    any.sin_port = htons((unsigned short)port);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        die("socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
        die("setsockopt");
    if (bind(fd, (struct sockaddr *)&any, sizeof any) < 0)
        die("bind");
    if (listen(fd, SOMAXCONN) < 0)
        die("listen");
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

static int try_again(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* -1 when the connection broke */
static int send_all(int fd, const char *p, ssize_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, p, (size_t)len, 0);

        if (n >= 0) {
            p += n;
            len -= n;
        } else if (!try_again() || wait_for(fd, POLLOUT) < 0) {
            return -1;
        }
    }
    return 0;
}

static void serve(int fd)
{
    char buf[5000];

    while (wait_for(fd, POLLIN) == 0) {
        ssize_t n = recv(fd, buf, sizeof buf, 0);

        if (n < 0 && try_again())
            continue;
        if (n <= 0 || send_all(fd, buf, n) < 0)
            break;
    }
}

/* The client waits in the queue. */
static void rest(void)
{
    perror("accept4");
    for (int i = 1; i <= 5; i++)
        fprintf(stderr, "%d: a client has to wait\n", i);
    poll(NULL, 0, 1500);
}

int main(int argc, char **argv)
{
    int listener;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    listener = listen_on(argv[1]);
    if (fcntl(listener, F_SETFL, O_NONBLOCK) < 0)
        die("fcntl");
    for (;;) {
        int fd = -1;

        if (wait_for(listener, POLLIN) == 0)
            fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            serve(fd);
            close(fd);
        } else if (!try_again() && errno != ECONNABORTED && errno != EPROTO) {
            rest();
        }
    }
}
