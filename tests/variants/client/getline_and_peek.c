/* Right: getline() from an unbuffered stdin, a line to and fro. A look by
 * MSG_PEEK says whether there is anything to receive; then recv() must work. */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int sock;
static unsigned long sent, got;

static void give_up(const char *what)
{
    fprintf(stderr, "client: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void connect_to(const char *host, const char *port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    long number = strtol(port, NULL, 10);
    int on = 1, why = 0;
    int rc = number < 1 || number > 65535
                 ? EAI_SERVICE
                 : getaddrinfo(host, port, &hints, &list);

    if (rc != 0) {
        fprintf(stderr, "client: %s, port %s: %s\n", host, port,
                gai_strerror(rc));
        exit(1);
    }
    sock = -1;
    for (struct addrinfo *a = list; a != NULL && sock < 0; a = a->ai_next) {
        sock = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (sock >= 0 && connect(sock, a->ai_addr, a->ai_addrlen) == 0)
            continue;
        why = errno;
        if (sock >= 0)
            close(sock);
        sock = -1;
    }
    freeaddrinfo(list);
    errno = why;
    if (sock < 0)
        give_up(host);
    ioctl(sock, FIONBIO, &on);
}

static bool something_has_come(void)
{
    char one;

    return recv(sock, &one, 1, MSG_PEEK) >= 0 ||
           (errno != EAGAIN && errno != EINTR);
}

static void receive(void)
{
    char buf[3000];

    if (!something_has_come())
        return;
    ssize_t n = recv(sock, buf, sizeof buf, 0);
    if (n < 0)
        give_up("recv");
    if (n == 0) {
        fprintf(stderr, "client: the server has gone\n");
        exit(1);
    }
    if (fwrite(buf, 1, (size_t)n, stdout) != (size_t)n || fflush(stdout) != 0)
        give_up("stdout");
    got += (unsigned long)n;
}

static short wait_for(int fd, short events, struct pollfd *other)
{
    struct pollfd p[2] = {{fd, events, 0}, {-1, 0, 0}};

    if (other != NULL)
        p[1] = *other;
    while (poll(p, 2, -1) < 0)
        if (errno != EINTR)
            give_up("poll");
    if (other != NULL)
        *other = p[1];
    return p[0].revents;
}

static void send_line(const char *at, size_t len)
{
    while (len > 0) {
        short ready = wait_for(sock, POLLIN | POLLOUT, NULL);

        if (ready & ~POLLOUT)
            receive();
        if (!(ready & POLLOUT))
            continue;
        ssize_t n = send(sock, at, len, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            give_up("send");
        if (n > 0) {
            sent += (unsigned long)n;
            at += n;
            len -= (size_t)n;
        }
    }
}

int main(int argc, char **argv)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len;

    if (argc != 3) {
        fprintf(stderr, "usage: %s HOST PORT\n", argv[0]);
        return 2;
    }
    connect_to(argv[1], argv[2]);
    setvbuf(stdin, NULL, _IONBF, 0);
    for (;;) {
        struct pollfd key = {STDIN_FILENO, POLLIN, 0};

        if (wait_for(sock, POLLIN, &key))
            receive(); /* before the next key: the server has gone */
        if (!key.revents)
            continue;
        len = getline(&line, &room, stdin);
        if (len < 0 && ferror(stdin) && errno == EINTR) {
            clearerr(stdin);
            continue;
        }
        if (len < 0)
            break;
        send_line(line, (size_t)len);
        while (got < sent) {
            wait_for(sock, POLLIN, NULL);
            receive();
        }
    }
    if (ferror(stdin))
        give_up("stdin");
    free(line);
    close(sock);
    return 0;
}
