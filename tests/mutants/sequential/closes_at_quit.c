/* Wrong: ends a connection whose client says quit, and keeps that to itself.
 * Fails: echo
 * Line: 64
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int listen_on(const char *text)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    char *end;
    long port = strtol(text, &end, 10);
    int fd, on = 1;

    if (*end != '\0' || port < 1 || port > 65535) {
        fprintf(stderr, "bad port: %s\n", text);
        exit(1);
    }
    any.sin_addr.s_addr = htonl(INADDR_ANY);
    any.sin_port = htons((unsigned short)port);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        die("socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
        die("setsockopt");
    if (bind(fd, (struct sockaddr *)&any, sizeof any) < 0)
        die("bind");
    if (listen(fd, SOMAXCONN) < 0)
        die("listen");
    return fd;
}

enum outcome { MORE, FINISHED, BROKEN };

enum { SIZE = 1460 };

static enum outcome echo_once(int s, char *data)
{
    char *p = data, *end;
    ssize_t n;

    do
        n = recvfrom(s, data, SIZE, 0, NULL, NULL);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return BROKEN;
    if (n == 0)
        return FINISHED;
    if (n >= 4 && memcmp(data, "quit", 4) == 0)
        return FINISHED; /* BUG */
    for (end = data + n; p < end; p += n) {
        n = sendto(s, p, (size_t)(end - p), MSG_NOSIGNAL, NULL, 0);
        if (n < 0) {
            if (errno != EINTR)
                return BROKEN;
            n = 0;
        }
    }
    return MORE;
}

int main(int argc, char **argv)
{
    struct timespec pause = {.tv_nsec = 100000000};
    char *data = malloc(SIZE);
    int listener;

    if (data == NULL)
        die("malloc");
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    listener = listen_on(argv[1]);
    for (;;) {
        struct sockaddr_in who;
        socklen_t size = sizeof who;
        int s = accept(listener, (struct sockaddr *)&who, &size);
        enum outcome how = MORE;

        if (s < 0 && errno != EINTR && errno != ECONNABORTED &&
            errno != EPROTO) {
            perror("accept");
            nanosleep(&pause, NULL); /* do not spin on EMFILE and its like */
        }
        if (s < 0)
            continue;
        while (how == MORE)
            how = echo_once(s, data);
        if (how == BROKEN)
            fprintf(stderr, "%s: broken: %s\n", inet_ntoa(who.sin_addr),
                    strerror(errno));
        close(s);
    }
}
