/* Right: a handler that loops over wait4 and adds up what children used.
 * Quick: no */
#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int make_server(const char *port)
{
    struct addrinfo *ai, hints = {.ai_family = AF_INET,
                                  .ai_socktype = SOCK_STREAM,
                                  .ai_flags = AI_PASSIVE};
    char *rest;
    long n = strtol(port, &rest, 10);
    int fd, rc, one = 1;

    if (*rest == '\0' && (n < 1 || n > 65535))
        errx(1, "port %s: %s", port, gai_strerror(EAI_SERVICE));
    if ((rc = getaddrinfo(NULL, port, &hints, &ai)) != 0)
        errx(1, "port %s: %s", port, gai_strerror(rc));
    if ((fd = socket(ai->ai_family, SOCK_STREAM, 0)) == -1)
        err(1, "socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == -1)
        err(1, "setsockopt");
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) == -1)
        err(1, "bind port %s", port);
    if (listen(fd, 100) == -1)
        err(1, "listen");
    freeaddrinfo(ai);
    return fd;
}

/* 0 when the client has ended, -1 when the connection broke. */
static int echo(int fd)
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

static volatile sig_atomic_t ended;

static void on_sigchld(int sig)
{
    struct rusage used;
    int saved = errno;

    (void)sig;
    while (wait4(-1, NULL, WNOHANG, &used) > 0)
        ended++;
    errno = saved;
}

int main(int argc, char **argv)
{
    struct sigaction sa = {.sa_handler = on_sigchld, .sa_flags = SA_RESTART};
    int listenfd;

    if (argc != 2) {
        fputs("usage: SERVER PORT\n", stderr);
        exit(2);
    }

    sigfillset(&sa.sa_mask);
    if (sigaction(SIGCHLD, &sa, NULL) == -1)
        err(1, "sigaction");
    listenfd = make_server(argv[1]);
    for (;;) {
        int connfd = accept(listenfd, NULL, NULL);
        pid_t pid;

        if (connfd == -1) {
            warn("accept");
            poll(NULL, 0, 50);
            continue;
        }

        if ((pid = fork()) == 0) {
            close(listenfd);
            _exit(echo(connfd) == 0 ? 0 : 1);
        }
        if (pid == -1)
            warn("fork, %d children so far", (int)ended);
        close(connfd);
    }
}
