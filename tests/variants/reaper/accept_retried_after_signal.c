/* Right: no SA_RESTART: accept is retried when a child interrupts it.
 * Quick: no */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
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

static void sig_chld(int signo)
{
    int status, olderrno = errno;

    (void)signo;
    while (waitpid(-1, &status, WNOHANG) > 0)
        ;
    errno = olderrno;
}

static int Accept(int listenfd)
{
    int fd;

    while ((fd = accept(listenfd, NULL, NULL)) < 0)
        switch (errno) {
        case EINTR:
        case ECONNABORTED:
        case EPROTO:
            break;
        default:
            perror("accept");
            poll(NULL, 0, 100);
        }
    return fd;
}

int main(int argc, char **argv)
{
    struct sigaction sa = {.sa_handler = sig_chld};
    int listenfd, connfd;
    pid_t pid;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    if (sigaction(SIGCHLD, &sa, NULL) < 0)
        die("sigaction");

    listenfd = Socket(AF_INET);
    Bind(listenfd, Port(argv[1]));
    Listen(listenfd);

    for (;;) {
        connfd = Accept(listenfd);
        pid = fork();
        if (pid == 0) {
            close(listenfd);
            exit(str_echo(connfd) == 0 ? 0 : 1);
        }
        if (pid < 0)
            perror("fork");
        close(connfd);
    }
}
