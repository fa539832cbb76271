/* Right: recv and send with MSG_NOSIGNAL in the child.
 * Quick: no */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int tcp_server(const char *port)
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

static int send_all(int sock, const char *data, size_t size)
{
    size_t sent = 0;

    while (sent < size) {
        ssize_t n = send(sock, data + sent, size - sent, MSG_NOSIGNAL);
        if (n >= 0)
            sent += (size_t)n;
        else if (errno != EINTR)
            return -1;
    }
    return 0;
}

static int echo_client(int sock)
{
    char data[2048];
    ssize_t n;

    do {
        n = recv(sock, data, sizeof(data), 0);
        if (n > 0 && send_all(sock, data, (size_t)n) == -1)
            return -1;
    } while (n > 0 || (n == -1 && errno == EINTR));
    return (int)n;
}

int main(int argc, char **argv)
{
    int server, client;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    server = tcp_server(argv[1]);
    for (;;) {
        struct sockaddr_storage peer;
        socklen_t size = sizeof(peer);
        pid_t pid;

        client = accept(server, (struct sockaddr *)&peer, &size);
        if (client < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                errno == ENOMEM)
                poll(NULL, 0, 150);
            continue;
        }
        pid = fork();
        if (pid < 0) {
            perror("fork");
            close(client);
        } else if (pid > 0) {
            close(client);
        } else {
            close(server);
            if (echo_client(client) < 0)
                perror("connection");
            close(client);
            _exit(0);
        }
    }
}
