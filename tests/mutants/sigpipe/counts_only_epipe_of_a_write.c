/* Wrong: only EPIPE counts as broken; a write that fails with ECONNRESET
 * or ETIMEDOUT prints no line.
 * Fails: sigpipe
 * Line: 84
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int broken;

static void report_broken(void)
{
    pthread_mutex_lock(&lock);
    printf("broken connections: %d\n", ++broken);
    fflush(stdout);
    pthread_mutex_unlock(&lock);
}

static int open_port(const char *arg)
{
    char *end;
    struct sockaddr_in local;
    int on = 1, fd;
    long port = strtol(arg, &end, 10);
    if (end == arg || *end != '\0' || port < 1 || port > 0xffff) {
        errno = EINVAL;
        perror(arg);
        return -1;
    }
    memset(&local, 0, sizeof local);
    local.sin_family = AF_INET;
    local.sin_port = htons((uint16_t)port);
    local.sin_addr.s_addr = htonl(INADDR_ANY);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        perror("socket");
        return -1;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, (struct sockaddr *)&local, sizeof local) < 0 ||
        listen(fd, SOMAXCONN) < 0) {
        perror(arg);
        return -1;
    }
    return fd;
}

static int write_all(int fd, const char *buf, size_t len)
{
    size_t off = 0;
    while (off < len) {
        ssize_t w = write(fd, buf + off, len - off);
        if (w >= 0)
            off += (size_t)w;
        else if (errno != EINTR)
            return -1;
    }
    return 0;
}

static void *serve(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char buf[4096];
    ssize_t n = 1;
    while (n != 0) {
        n = read(fd, buf, sizeof buf);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            report_broken();
            break;
        }
        if (write_all(fd, buf, (size_t)n) < 0) { /* BUG */
            if (errno == EPIPE)
                report_broken();
            break;
        }
    }
    close(fd);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    int listener = open_port(argv[1]);
    if (listener < 0)
        return 1;
    for (;;) {
        pthread_t thread;
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) {
            if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
                poll(NULL, 0, 100);
            continue;
        }
        int err = pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd);
        if (err != 0) {
            fprintf(stderr, "pthread_create: %s\n", strerror(err));
            close(fd);
            continue;
        }
        pthread_detach(thread);
    }
}
