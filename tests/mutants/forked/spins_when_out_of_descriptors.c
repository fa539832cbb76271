/* Wrong: accept is called again at once while descriptors are short.
 * Fails: accept
 * Line: 97
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static int Socket(int family)
{
    int on = 1, fd = socket(family, SOCK_STREAM, 0);

    if (fd < 0)
        die("socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
        die("setsockopt");
    return fd;
}

static void Bind(int fd, unsigned short port)
{
    struct sockaddr_in any;

    memset(&any, 0, sizeof(any));
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_ANY);
    any.sin_port = htons(port);
    if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
        die("bind");
}

static void Listen(int fd)
{
    if (listen(fd, 1024) < 0)
        die("listen");
}

static unsigned short Port(const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);

    if (*end != '\0' || port <= 0 || port > 65535) {
        errno = EINVAL;
        die(text);
    }
    return (unsigned short)port;
}

/* 0 when the client has ended, -1 when the connection broke. */
static int str_echo(int fd)
{
    char buf[4096];
    ssize_t n, w, done;

    while ((n = read(fd, buf, sizeof(buf))) != 0) {
        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1)
            return -1;
        for (done = 0; done < n; done += w) {
            w = write(fd, buf + done, n - done);
            if (w == -1 && errno == EINTR)
                w = 0;
            else if (w == -1)
                return -1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    int listenfd, connfd;
    pid_t pid;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    listenfd = Socket(AF_INET);
    Bind(listenfd, Port(argv[1]));
    Listen(listenfd);

    for (;;) {
        if ((connfd = accept(listenfd, NULL, NULL)) < 0) /* BUG */
            continue;
        if ((pid = fork()) == 0) {
            close(listenfd);
            if (str_echo(connfd) < 0)
                die("echo");
            exit(0);
        } else if (pid < 0) {
            perror("fork");
        }
        close(connfd);
    }
}
