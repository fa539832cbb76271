/* Right: a thread waits for a child when there is one, else for that.
 * Quick: no */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
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

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static int children; /* not yet waited for */

static void count(int by)
{
    pthread_mutex_lock(&lock);
    children += by;
    pthread_cond_signal(&more);
    pthread_mutex_unlock(&lock);
}

static void *reaper(void *arg)
{
    for (;;) {
        pthread_mutex_lock(&lock);
        while (children == 0)
            pthread_cond_wait(&more, &lock);
        pthread_mutex_unlock(&lock);
        if (waitpid(-1, NULL, 0) > 0) /* blocks this thread alone */
            count(-1);
    }
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t tid;
    int listenfd;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    listenfd = open_listener(argv[1]);
    if (pthread_create(&tid, NULL, reaper, NULL) != 0)
        signal(SIGCHLD, SIG_IGN); /* then the kernel must */
    for (;;) {
        int connfd = accept(listenfd, NULL, NULL);
        pid_t pid;

        if (connfd < 0) {
            struct timespec tenth = {0, 100000000};
            switch (errno) {
            case EINTR:
            case ECONNABORTED:
            case EPROTO:
                break; /* that client went away: next, please */
            default:
                perror("accept");
                nanosleep(&tenth, NULL);
            }
            continue;
        }

        pid = fork();
        if (pid == 0) {
            close(listenfd);
            _exit(echo(connfd) == 0 ? 0 : 1);
        }
        close(connfd);
        if (pid > 0)
            count(1);
        else
            perror("fork");
    }
}
