/* Wrong: closes the listening socket while it serves a client; those who wait
 *        in the backlog are thrown out.
 * Fails: echo
 * Line: 98
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

/* A failing accept never ends the server; a shortage is waited out. */
static int next_client(int listener)
{
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd >= 0)
            return fd;
        if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO)
            continue;
        perror("accept");
        poll(NULL, 0, 100);
    }
}

static int send_all(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, p, len, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

static void serve(int fd)
{
    char buf[4096];
    ssize_t n;

    while ((n = recv(fd, buf, sizeof buf, 0)) > 0)
        if (send_all(fd, buf, (size_t)n) < 0)
            return;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    for (;;) {
        int listener = listen_on(argv[1]);
        int client = next_client(listener);

        close(listener); /* BUG */
        serve(client);
        close(client);
    }
}
