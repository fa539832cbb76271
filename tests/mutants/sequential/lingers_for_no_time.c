/* Wrong: SO_LINGER with 0 seconds, against TIME_WAIT: each close() is a reset.
 * Fails: echo
 * Line: 64
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TRY(call)                                                              \
    do                                                                         \
        if ((call) < 0) {                                                      \
            fprintf(stderr, "%s: %s\n", #call, strerror(errno));               \
            return 1;                                                          \
        }                                                                      \
    while (0)

static char data[8192];

/* Until the client has ended, or is lost. */
static void serve(int client)
{
    ssize_t got, put;

    for (;;) {
        got = recv(client, data, sizeof(data), 0);
        if (got == -1 && errno == EINTR)
            continue;
        if (got <= 0)
            return;
        for (char *from = data; from < data + got; from += put) {
            put = send(client, from, data + got - from, MSG_NOSIGNAL);
            if (put == -1 && errno != EINTR)
                return;
            if (put == -1)
                put = 0;
        }
    }
}

int main(int argc, char *argv[])
{
    struct sockaddr_in self = {.sin_family = AF_INET};
    const struct linger no = {.l_onoff = 1, .l_linger = 0};
    int door, client, yes = 1;
    char *end;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    unsigned long port = strtoul(argv[1], &end, 10);
    if (*end != '\0' || end == argv[1] || port == 0 || port > 65535) {
        fprintf(stderr, "%s is no port\n", argv[1]);
        return 1;
    }
    self.sin_port = htons((unsigned short)port);
    TRY(door = socket(AF_INET, SOCK_STREAM, 0));
    TRY(setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)));
    TRY(setsockopt(door, SOL_SOCKET, SO_LINGER, &no, sizeof(no))); /* BUG */
    TRY(bind(door, (struct sockaddr *)&self, sizeof(self)));
    TRY(listen(door, 50));
    for (;;) {
        client = accept(door, NULL, NULL);
        if (client >= 0) {
            serve(client);
            close(client);
        } else if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO) {
            poll(NULL, 0, 200);
        }
    }
}
