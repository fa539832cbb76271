/* Right: a thread takes SIGCHLD with sigwait and reaps what has ended.
 * Quick: no */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int open_listener(const char *port)
{
    struct sockaddr_in addr;
    char *end;
    long number = strtol(port, &end, 10);
    int fd, on = 1;

    if (*end != '\0' || number < 1 || number > 65535) {
        fprintf(stderr, "port %s: %s\n", port, strerror(EINVAL));
        exit(1);
    }
    memset(&addr, 0, sizeof(addr));
    addr.sin_family = AF_INET;
    addr.sin_addr.s_addr = htonl(INADDR_ANY);
    addr.sin_port = htons((unsigned short)number);

    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd == -1) {
        perror("socket");
        exit(1);
    }
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1)
        perror("SO_REUSEADDR");
    if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == -1) {
        perror("bind");
        exit(1);
    }
    if (listen(fd, 128) == -1) {
        perror("listen");
        exit(1);
    }
    return fd;
}

static int write_all(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

static int serve(int connfd)
{
    char buffer[8192];

    for (;;) {
        ssize_t got = read(connfd, buffer, sizeof(buffer));
        if (got == 0)
            return 0;
        if (got < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        if (write_all(connfd, buffer, (size_t)got) < 0)
            return -1;
    }
}

static void *reaper(void *set)
{
    int sig;

    for (;;) {
        sigwait(set, &sig);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    static sigset_t set;
    sigset_t before;
    pthread_t tid;
    int listenfd, rc;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    listenfd = open_listener(argv[1]);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &set, &before);
    rc = pthread_create(&tid, NULL, reaper, &set);
    if (rc != 0) {
        fprintf(stderr, "no thread (%s): ignoring SIGCHLD\n", strerror(rc));
        signal(SIGCHLD, SIG_IGN);
    } else {
        pthread_detach(tid);
    }
    for (;;) {
        int connfd = accept(listenfd, NULL, NULL);

        if (connfd == -1) {
            /* A shortage may last: do not ask again at once. */
            if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
                poll(NULL, 0, 100);
            continue;
        }

        switch (fork()) {
        case -1:
            perror("fork");
            break;
        case 0:
            pthread_sigmask(SIG_SETMASK, &before, NULL);
            close(listenfd);
            _exit(serve(connfd) == 0 ? 0 : 1);
        }
        close(connfd);
    }
}
