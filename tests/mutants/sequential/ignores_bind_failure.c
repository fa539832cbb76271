/* Wrong: does not look at the result of bind; on a taken port it listens on
 *        another one.
 * Fails: startup
 * Line: 41
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
    bind(fd, (struct sockaddr *)&any, sizeof any); /* BUG */
    if (listen(fd, SOMAXCONN) < 0)
        die("listen");
    return fd;
}

static int echo(int fd)
{
    char block[4096];
    ssize_t n = read(fd, block, sizeof block), done, w;

    for (done = 0; done < n; done += w) {
        w = write(fd, block + done, (size_t)(n - done));
        if (w < 0)
            return 0;
    }
    return n > 0;
}

int main(int argc, char **argv)
{
    int lfd, fd;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    lfd = listen_on(argv[1]);
    for (;;) {
        fd = accept(lfd, NULL, NULL);
        if (fd >= 0) {
            while (echo(fd))
                ;
            close(fd);
        } else if (errno != ECONNABORTED && errno != EPROTO) {
            poll(NULL, 0, 100); /* wait for better times */
        }
    }
}
