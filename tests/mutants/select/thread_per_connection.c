/* Wrong: a thread for each connection where the step asks for one thread that
 * serves all of them.
 * Fails: concurrency
 * Line: 104
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
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
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
        listen(fd, SOMAXCONN) < 0) {
        perror("cannot listen");
        exit(1);
    }
    return fd;
}

static int write_all(int fd, const char *p, size_t left)
{
    while (left > 0) {
        ssize_t n = send(fd, p, left, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        p += n;
        left -= n;
    }
    return 0;
}

static void *serve(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char buf[4096];
    ssize_t n;

    for (;;) {
        n = recv(fd, buf, sizeof(buf), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || write_all(fd, buf, n) < 0)
            break;
    }
    close(fd);
    return NULL;
}

int main(int argc, char **argv)
{
    int listener;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    listener = listen_on(argv[1]);
    for (;;) {
        pthread_t thread;
        void *arg;
        fd_set rd;
        int fd;

        FD_ZERO(&rd);
        FD_SET(listener, &rd);
        if (select(listener + 1, &rd, NULL, NULL, NULL) < 0)
            continue;
        fd = accept(listener, NULL, NULL);
        if (fd < 0) {
            if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
                poll(NULL, 0, 100); /* until something is free again */
            continue;
        }
        arg = (void *)(intptr_t)fd;
        if (fd >= FD_SETSIZE) {
            close(fd);
            continue;
        }
        if (pthread_create(&thread, NULL, serve, arg) != 0) /* BUG */
            close(fd);
        else
            pthread_detach(thread);
    }
}
