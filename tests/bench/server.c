/* server.c - the forked echo server that is measured: linked into the bench,
 * where it is called after a bare fork, and built as a program. */
#include "server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void echo(int conn)
{
    char buffer[4096];
    ssize_t n;

    while ((n = read(conn, buffer, sizeof(buffer))) > 0)
        if (write(conn, buffer, (size_t)n) != n)
            _exit(1);
    close(conn);
}

int serve(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port)};
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(listener, 16) < 0)
        return 1;
    for (;;) {
        int conn = accept(listener, NULL, NULL);

        if (conn < 0)
            return 1;
        if (fork() == 0) {
            close(listener);
            echo(conn);
            _exit(0);
        }
        close(conn);
        waitpid(-1, NULL, 0);
    }
}

#ifdef BENCH_PROGRAM
int main(int argc, char **argv)
{
    return argc == 2 ? serve(atoi(argv[1])) : 2;
}
#endif
