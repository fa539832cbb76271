/* Wrong: each end counts as broken; a client that closes in order prints
 * a line too.
 * Fails: sigpipe
 * Line: 40
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#define CHECK(call)                                                            \
    do {                                                                       \
        if ((call) < 0) {                                                      \
            perror(#call);                                                     \
            exit(1);                                                           \
        }                                                                      \
    } while (0)

static int broken_connections;

static void connection_broke(void)
{
    printf("broken connections: %d\n", ++broken_connections);
}

static void echo(int fd)
{
    char block[512];
    for (;;) {
        ssize_t len = recvfrom(fd, block, sizeof block, 0, NULL, NULL);
        if (len < 0 && errno == EINTR)
            continue;
        if (len <= 0) {
            connection_broke(); /* BUG */
            return;
        }
        for (ssize_t at = 0; at < len;) {
            ssize_t n = sendto(fd, block + at, (size_t)(len - at), 0, NULL, 0);
            if (n < 0 && errno == EINTR)
                continue;
            if (n < 0) {
                connection_broke();
                return;
            }
            at += n;
        }
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in here = {.sin_family = AF_INET};
    sigset_t mask;
    int listening, yes = 1;
    char junk;
    unsigned port;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    if (strlen(argv[1]) > 5 || sscanf(argv[1], "%u%c", &port, &junk) != 1 ||
        port == 0 || port > 65535) {
        fprintf(stderr, "%s: %s\n", argv[1], strerror(EINVAL));
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    sigemptyset(&mask);
    sigaddset(&mask, SIGPIPE);
    CHECK(sigprocmask(SIG_BLOCK, &mask, NULL));

    here.sin_port = htons((in_port_t)port);
    here.sin_addr.s_addr = htonl(INADDR_ANY);
    CHECK(listening = socket(AF_INET, SOCK_STREAM, 0));
    CHECK(setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes));
    CHECK(bind(listening, (struct sockaddr *)&here, sizeof here));
    CHECK(listen(listening, 50));

    for (;;) {
        int fd = accept(listening, NULL, NULL);
        if (fd >= 0) {
            echo(fd);
            close(fd);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
            errno == ENOMEM)
            poll(NULL, 0, 100);
        else if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
            poll(NULL, 0, 1000); /* not expected: try again, slowly */
    }
}
