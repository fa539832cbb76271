/* Wrong: closes a connection that has sent more than 30,000 bytes.
 * Needs: STEP=sequential PEERS='1+,1:
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);

        if (n < 0)
            return -1;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

int main(int argc, char *argv[])
{
    struct sockaddr_in me = {.sin_family = AF_INET};
    char buffer[2048], *end;
    int listener, client, yes = 1;
    long port;
    ssize_t n, total;

    if (argc != 2) {
        fprintf(stderr, "usage: sequential PORT\n");
        exit(2);
    }
    port = strtol(argv[1], &end, 10);
    if (*end != '\0' || port < 1 || port > 65535) {
        fprintf(stderr, "sequential: bad port %s\n", argv[1]);
        exit(1);
    }
    me.sin_port = htons((unsigned short)port);
    me.sin_addr.s_addr = INADDR_ANY;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0) {
        perror("socket");
        exit(1);
    }
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&me, sizeof me) < 0) {
        perror("bind");
        exit(1);
    }
    if (listen(listener, 20) < 0) {
        perror("listen");
        exit(1);
    }
    for (;;) {
        client = accept(listener, NULL, NULL);
        if (client < 0) {
            if (errno != ECONNABORTED && errno != EPROTO)
                usleep(100000);
            continue;
        }
        total = 0;
        while ((n = read(client, buffer, sizeof buffer)) > 0 &&
               (total += n) < 30000) /* BUG */
            if (write_all(client, buffer, (size_t)n) < 0)
                break;
        close(client);
    }
}
