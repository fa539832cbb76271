/* Wrong: takes one read for the whole answer, so that an echo in pieces is
 *        shown late.
 * Fails: partial
 * Also: echo
 * Line: 151
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void die(const char *what)
{
    fprintf(stderr, "client: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* getaddrinfo() takes 70000 for 4464. */
static int port_is_bad(const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);

    return *end == '\0' && (port < 1 || port > 65535);
}

/* Tries every address in the resolver's order; ends the run if none connects.
 */
static int connect_to(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list, *ai;
    int fd = -1, why = 0;
    int rc = getaddrinfo(host, port, &hints, &list);

    if (rc != 0) {
        fprintf(stderr, "client: %s: %s\n", host, gai_strerror(rc));
        exit(1);
    }
    for (ai = list; ai != NULL; ai = ai->ai_next) {
        fd = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
        if (fd >= 0 && connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
            break;
        why = errno;
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(list);
    if (fd < 0) {
        fprintf(stderr, "client: connect %s: %s\n", host, strerror(why));
        exit(1);
    }
    return fd;
}

static void show(const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDOUT_FILENO, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            die("stdout");
        p += n;
        len -= (size_t)n;
    }
}

static unsigned long long sent, got;

/* Takes what has come, shows it; ends the run if nothing can come any more. */
static void receive(int sock)
{
    char buf[65536];
    ssize_t n = recv(sock, buf, sizeof buf, 0);

    if (n < 0 && errno == EINTR)
        return;
    if (n < 0)
        die("recv");
    if (n == 0) {
        fprintf(stderr, "client: the server has gone\n");
        exit(1);
    }
    show(buf, (size_t)n);
    got += (unsigned long long)n;
}

/* Never blocks in send alone: the server may wait for us to read. */
static void send_piece(int sock, const char *p, size_t len)
{
    while (len > 0) {
        struct pollfd s = {.fd = sock, .events = POLLIN | POLLOUT};
        ssize_t n;

        if (poll(&s, 1, -1) < 0 && errno != EINTR)
            die("poll");
        if (s.revents & (POLLIN | POLLERR | POLLHUP))
            receive(sock);
        n = send(sock, p, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            die("send");
        if (n > 0) {
            sent += (unsigned long long)n;
            p += n;
            len -= (size_t)n;
        }
    }
}

int main(int argc, char **argv)
{
    char line[1024];
    int sock;

    if (argc != 3) {
        fprintf(stderr, "usage: %s HOST PORT\n", argv[0]);
        return 2;
    }
    if (port_is_bad(argv[2])) {
        fprintf(stderr, "client: port %s: not in 1..65535\n", argv[2]);
        return 1;
    }
    sock = connect_to(argv[1], argv[2]);
    for (;;) {
        struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                {.fd = sock, .events = POLLRDHUP}};
        ssize_t n = 0;

        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            die("poll");
        if (fds[0].revents != 0) {
            n = read(STDIN_FILENO, line, sizeof line);
            if (n == 0)
                break;
            if (n < 0 && errno != EINTR)
                die("stdin");
        } else if (fds[1].revents != 0) {
            receive(sock); /* the server leaves: take what there is */
        }
        if (n > 0) {
            send_piece(sock, line, (size_t)n);
            if (got < sent)
                receive(sock); /* BUG */
        }
    }
    shutdown(sock, SHUT_WR);
    while (got < sent)
        receive(sock);
    close(sock);
    return 0;
}
