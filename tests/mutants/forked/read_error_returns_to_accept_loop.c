/* Wrong: a child whose read fails leaves its loop and never ends.
 * Fails: reset
 * Line: 87
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Sends all of it: 0, or -1 when the connection is broken. */
static int give_back(int fd, const char *p, ssize_t left)
{
    for (ssize_t n; left > 0; p += n, left -= n)
        if ((n = send(fd, p, left, MSG_NOSIGNAL)) == -1)
            return -1;
    return 0;
}

static int listener(const char *port)
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

int main(int argc, char **argv)
{
    struct pollfd door = {.events = POLLIN};
    char data[1024];
    ssize_t n;
    pid_t pid;
    int conn;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    door.fd = listener(argv[1]);
    fcntl(door.fd, F_SETFL, O_NONBLOCK);
    for (;;) {
        if (poll(&door, 1, -1) == -1)
            continue;
        conn = accept(door.fd, NULL, NULL);
        if (conn == -1) {
            if (errno != EAGAIN && errno != ECONNABORTED)
                poll(NULL, 0, 100);
            continue;
        }
        pid = fork();
        if (pid == 0) {
            close(door.fd);
            door.fd = -1;
            for (;;) {
                n = recv(conn, data, sizeof(data), 0); /* BUG */
                if (n == 0)
                    _exit(0);
                if (n == -1)
                    break;
                if (give_back(conn, data, n) == -1)
                    _exit(1);
            }
        }
        close(conn);
    }
}
