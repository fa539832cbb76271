/* Wrong: sets SO_REUSEADDR when bind has failed already: no new start for a
 * minute.
 * Fails: startup
 * Line: 50
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile sig_atomic_t pipe_broke;

static void on_sigpipe(int sig)
{
    (void)sig;
    pipe_broke = 1;
}

int main(int argc, char *argv[])
{
    struct sockaddr_in addr;
    int sock, client, one = 1, count = 0;
    char buffer[1024], *rest;
    long port;

    if (argc != 2) {
        fprintf(stderr, "Usage: %s PORT\n", argv[0]);
        exit(2);
    }
    port = strtol(argv[1], &rest, 10);
    if (rest == argv[1] || *rest || port <= 0 || port > 65535) {
        fprintf(stderr, "port %s: %s\n", argv[1], strerror(EINVAL));
        exit(1);
    }
    signal(SIGPIPE, on_sigpipe);

    if ((sock = socket(AF_INET, SOCK_STREAM, 0)) == -1) {
        perror("socket");
        exit(1);
    }
    memset(&addr, 0, sizeof(addr));
    addr.sin_family = AF_INET;
    addr.sin_port = htons((unsigned short)port);
    addr.sin_addr.s_addr = htonl(INADDR_ANY);
    if (bind(sock, (struct sockaddr *)&addr, sizeof(addr)) == -1) { /* BUG */
        perror("bind");
        exit(1);
    }
    if (setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == -1) {
        perror("setsockopt");
        exit(1);
    }
    if (listen(sock, 128) == -1) {
        perror("listen");
        exit(1);
    }

    while (1) {
        int broke = 0;
        ssize_t got, put, done;

        client = accept(sock, NULL, NULL);
        if (client == -1) {
            if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO)
                continue;
            perror("accept");
            poll(NULL, 0, 200);
            continue;
        }
        pipe_broke = 0;
        while (!broke && (got = read(client, buffer, sizeof(buffer))) != 0) {
            if (got == -1) {
                broke = errno != EINTR;
                continue;
            }
            done = 0;
            while (!broke && done < got) {
                put = write(client, buffer + done, (size_t)(got - done));
                if (put >= 0)
                    done += put;
                else if (errno != EINTR)
                    broke = 1;
            }
        }
        close(client);
        if (pipe_broke)
            fprintf(stderr, "SIGPIPE: the client has gone\n");
        if (broke) {
            count++;
            printf("broken connections: %d\n", count);
            fflush(stdout);
        }
    }
}
