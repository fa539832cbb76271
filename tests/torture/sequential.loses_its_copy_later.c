/* Wrong: keeps a copy of what came last, and loses it where a later read
 * times out; where the first one does, there is no copy yet.
 * Needs: valgrind, sequential.c:65 keep
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int listen_on(const char *text)
{
    struct sockaddr_in here = {.sin_family = AF_INET};
    char *end;
    long port = strtol(text, &end, 10);
    int fd, on = 1;

    if (*end != '\0' || port < 1 || port > 65535) {
        fprintf(stderr, "%s is no port\n", text);
        return -1;
    }
    here.sin_port = htons((unsigned short)port);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0 &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        bind(fd, (struct sockaddr *)&here, sizeof(here)) == 0 &&
        listen(fd, 64) == 0)
        return fd;
    fprintf(stderr, "port %ld: %s\n", port, strerror(errno));
    return -1;
}

static int put(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

static ssize_t get(int fd, char *bytes, size_t size)
{
    ssize_t n;

    do
        n = read(fd, bytes, size);
    while (n < 0 && errno == EINTR);
    return n;
}

static char *keep(char *old, const char *bytes, size_t len)
{
    char *copy = malloc(len); /* BUG */

    if (copy == NULL)
        return old;
    free(old);
    return memcpy(copy, bytes, len);
}

static void serve(int fd)
{
    char bytes[8192], *last = NULL;
    ssize_t n;

    while ((n = get(fd, bytes, sizeof(bytes))) > 0) {
        if (put(fd, bytes, (size_t)n) < 0) {
            free(last);
            return;
        }
        last = keep(last, bytes, (size_t)n);
    }
    if (n < 0 && errno == ETIMEDOUT)
        return;
    free(last);
}

int main(int argc, char **argv)
{
    int listener, fd;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    if ((listener = listen_on(argv[1])) < 0)
        return 1;
    for (;;) {
        fd = accept(listener, NULL, NULL);
        if (fd >= 0) {
            serve(fd);
            close(fd);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            perror("accept");
            poll(NULL, 0, 100);
        }
    }
}
