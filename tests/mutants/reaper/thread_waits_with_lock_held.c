/* Wrong: the thread waits for a child with the lock that main needs.
 * Fails: zombie
 * Also: concurrency reset fork accept descriptors
 * Line: 84
 */
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
static int children;

static void *reaper(void *arg)
{
    pthread_mutex_lock(&lock);
    for (;;) {
        while (children == 0)
            pthread_cond_wait(&more, &lock);
        if (waitpid(-1, NULL, 0) > 0) /* BUG */
            children--;
    }
    return arg;
}

static void start_child(int listenfd, int connfd)
{
    pid_t pid;

    pthread_mutex_lock(&lock);
    pid = fork();
    if (pid == 0) {
        close(listenfd);
        _exit(echo(connfd) == 0 ? 0 : 1);
    }
    if (pid > 0) {
        children++;
        pthread_cond_signal(&more);
    }
    pthread_mutex_unlock(&lock);
    if (pid == -1)
        fprintf(stderr, "no child for a client\n");
}

int main(int argc, char **argv)
{
    pthread_t tid;
    int listenfd, rc;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    listenfd = open_listener(argv[1]);
    rc = pthread_create(&tid, NULL, reaper, NULL);
    if (rc != 0) {
        fprintf(stderr, "no reaper: %s\n", strerror(rc));
        signal(SIGCHLD, SIG_IGN);
    }
    for (;;) {
        int connfd = accept(listenfd, NULL, NULL);

        if (connfd == -1) {
            /* A shortage may last: do not ask again at once. */
            if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
                poll(NULL, 0, 100);
            continue;
        }

        start_child(listenfd, connfd);
        close(connfd);
    }
}
