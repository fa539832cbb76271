/* Right: everything in main, one byte at a time.
 * Quick: no */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct sockaddr_in addr;
    int one = 1, s, c;
    char *end, byte;
    long port;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    port = strtol(argv[1], &end, 10);
    if (end == argv[1] || *end != '\0' || port <= 0 || port >= 65536) {
        fprintf(stderr, "%s: not a port number\n", argv[1]);
        return 1;
    }
    memset(&addr, 0, sizeof addr);
    addr.sin_family = AF_INET;
    addr.sin_addr.s_addr = htonl(INADDR_ANY);
    addr.sin_port = htons((uint16_t)port);
    if ((s = socket(AF_INET, SOCK_STREAM, 0)) == -1) {
        perror("socket");
        return 1;
    }
    if (setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == -1) {
        perror("setsockopt");
        return 1;
    }
    if (bind(s, (struct sockaddr *)&addr, sizeof addr) == -1) {
        perror("bind");
        return 1;
    }
    if (listen(s, 10) == -1) {
        perror("listen");
        return 1;
    }
    while (1) {
        c = accept(s, NULL, NULL);
        if (c == -1) {
            if (errno != ECONNABORTED && errno != EPROTO && errno != EINTR)
                usleep(200 * 1000);
            continue;
        }
        while (1) {
            ssize_t n = read(c, &byte, 1);

            if (n == -1 && errno == EINTR)
                continue;
            if (n != 1)
                break;
            while ((n = write(c, &byte, 1)) == -1 && errno == EINTR)
                ;
            if (n != 1)
                break;
        }
        close(c);
    }
}
