/* Wrong: vfork() for speed. It stops the parent until the child has ended:
 *        a silent client holds up all the others.
 * Fails: concurrency
 * Also: accept
 * Line: 91
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int start(const char *arg)
{
    struct sockaddr_in sa;
    int s, one = 1;
    char *end;
    long port;

    errno = 0;
    port = strtol(arg, &end, 10);
    if (errno || end == arg || *end || port < 1 || port > 65535) {
        fprintf(stderr, "forked: bad port %s: %s\n", arg, strerror(EINVAL));
        return -1;
    }
    if ((s = socket(AF_INET, SOCK_STREAM, 0)) < 0) {
        perror("forked: socket");
        return -1;
    }
    memset(&sa, 0, sizeof(sa));
    sa.sin_family = AF_INET;
    sa.sin_port = htons((in_port_t)port);
    sa.sin_addr.s_addr = INADDR_ANY;
    if (setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0)
        perror("forked: SO_REUSEADDR");
    else if (bind(s, (struct sockaddr *)&sa, sizeof(sa)) < 0)
        perror("forked: bind");
    else if (listen(s, SOMAXCONN) < 0)
        perror("forked: listen");
    else
        return s;
    close(s);
    return -1;
}

static void echo_client(int fd)
{
    char buf[4096];
    ssize_t n, w;
    char *p;

    while ((n = read(fd, buf, sizeof(buf))) != 0) {
        if (n < 0) {
            if (errno == EINTR)
                continue;
            _exit(1);
        }
        for (p = buf; n > 0; p += w, n -= w) {
            w = send(fd, p, (size_t)n, MSG_NOSIGNAL);
            if (w < 0) {
                if (errno != EINTR)
                    _exit(1);
                w = 0;
            }
        }
    }
}

int main(int argc, char *argv[])
{
    int s, fd;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    if ((s = start(argv[1])) < 0)
        return 1;
    for (;;) {
        pid_t pid;

        if ((fd = accept(s, NULL, NULL)) < 0) {
            if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
                poll(NULL, 0, 100);
            continue;
        }
        pid = vfork(); /* BUG */
        if (pid == 0) {
            close(s);
            echo_client(fd);
            close(fd);
            _exit(0);
        }
        if (pid < 0)
            perror("forked: vfork");
        close(fd);
    }
}
