/* Wrong: the line is made in an array that just holds a number of one digit.
 *        snprintf cuts the tenth line before its newline, and the hundredth
 *        before its last digit.
 * Fails: sigpipe
 * Line: 39
 */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void put_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);

        if (n < 0) {
            if (errno == EINTR)
                continue;
            return;
        }
        text += n;
        len -= (size_t)n;
    }
}

/* By write(): there is no buffer that could keep it back. */
static void tell(void)
{
    static unsigned count;
    char line[sizeof("broken connections: 1\n")];

    count++;
    snprintf(line, sizeof(line), "broken connections: %u\n", count);
    put_all(STDOUT_FILENO, line, strlen(line)); /* BUG */
}

static int echo_client(int fd)
{
    char data[6000];

    for (;;) {
        ssize_t n = recv(fd, data, sizeof(data), 0), at = 0;

        if (n == 0)
            return 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        while (at < n) {
            ssize_t m = send(fd, data + at, (size_t)(n - at), MSG_NOSIGNAL);

            if (m < 0 && errno == EINTR)
                continue;
            if (m < 0)
                return -1;
            at += m;
        }
    }
}

static int listener_for(const char *port)
{
    struct addrinfo hints = {.ai_flags = AI_PASSIVE,
                             .ai_family = AF_INET,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    const char *failed = "socket";
    int fd, rc, on = 1;
    char *end;
    long number = strtol(port, &end, 10);

    rc = *end == '\0' && (end == port || number < 0 || number > 65535)
             ? EAI_SERVICE
             : getaddrinfo(NULL, port, &hints, &found);
    if (rc != 0) {
        fprintf(stderr, "sigpipe: port %s: %s\n", port, gai_strerror(rc));
        exit(1);
    }
    fd = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        failed = "bind";
        if (bind(fd, found->ai_addr, found->ai_addrlen) == 0) {
            failed = "listen";
            if (listen(fd, SOMAXCONN) == 0) {
                freeaddrinfo(found);
                return fd;
            }
        }
    }
    fprintf(stderr, "sigpipe: %s: %s\n", failed, strerror(errno));
    exit(1);
}

int main(int argc, char **argv)
{
    int listener;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    listener = listener_for(argv[1]);
    while (1) {
        int fd = accept(listener, NULL, NULL);

        if (fd < 0) {
            if (errno == ECONNABORTED || errno == EPROTO || errno == EINTR)
                continue;
            perror("accept");
            poll(NULL, 0, 100);
            continue;
        }
        if (echo_client(fd) < 0)
            tell();
        close(fd);
    }
}
