/* Right: _Fork(); the child moves its connection to descriptor 3, closes all
 * above with closefrom(), and then opens a log of its own. */
#define _GNU_SOURCE
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECTION 3

static void opens(int sock, const char *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    char *end = NULL;
    long number = *port ? strtol(port, &end, 10) : -1;

    if (number < 0 || number > 65535 || *end)
        error(1, EINVAL, "port '%s'", port);
    at.sin_port = htons((in_port_t)number);
    setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(sock, (struct sockaddr *)&at, sizeof at))
        error(1, errno, "bind");
    if (listen(sock, 64))
        error(1, errno, "listen");
}

static _Noreturn void child(int conn)
{
    char buffer[10000];
    ssize_t n, sent;
    int diary;

    if (conn != CONNECTION && dup2(conn, CONNECTION) < 0)
        _exit(EXIT_FAILURE);
    closefrom(CONNECTION + 1);
    diary = open("/dev/null", O_WRONLY | O_APPEND);
    if (diary >= 0)
        dprintf(diary, "child %d: begins\n", (int)getpid());
    while ((n = recv(CONNECTION, buffer, sizeof buffer, 0)) > 0)
        for (const char *p = buffer; n > 0; p += sent, n -= sent)
            if ((sent = send(CONNECTION, p, (size_t)n, MSG_NOSIGNAL)) < 0)
                goto out;
out:
    if (diary >= 0) {
        dprintf(diary, "child: %s\n", n == 0 ? "ends" : strerror(errno));
        close(diary);
    }
    close(CONNECTION);
    _exit(n != 0);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        error(2, 0, "usage: %s PORT", argv[0]);
    int sock = socket(AF_INET, SOCK_STREAM, 0), conn;
    if (sock < 0)
        error(1, errno, "socket");
    opens(sock, argv[1]);
again:
    conn = accept(sock, NULL, NULL);
    switch (conn < 0 ? errno : 0) {
    case 0:
        switch (_Fork()) {
        case -1:
            perror("_Fork");
            break;
        case 0:
            child(conn);
        }
        close(conn);
        goto again;
    case EINTR:
    case EPROTO:
    case ECONNABORTED:
        goto again;
    }
    usleep(100000);
    goto again;
}
