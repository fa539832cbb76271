/* rehearsal.c - what nearly every program calls, called once before any is
 * forked. Valgrind translates code when it first runs, and each process its
 * own: what the fork server has translated, no case and no child of one has
 * to, and that is half of what a client's process would translate. */
#include "interposer.h"
#include "under_valgrind.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static void bytes_go(int from, int to)
{
    char bytes[4] = "byte";
    struct pollfd readable = {to, POLLIN, 0};
    fd_set set;

    FD_ZERO(&set);
    if (to < FD_SETSIZE)
        FD_SET(to, &set);
    if (write(from, bytes, 2) < 0 || send(from, bytes, 2, MSG_NOSIGNAL) < 0)
        return;
    poll(&readable, 1, -1);
    select(to + 1, &set, NULL, NULL, NULL);
    if (read(to, bytes, 1) < 0 || recv(to, bytes, 3, 0) < 0)
        return;
}

/* A client and its server, here, on a port of the kernel's choice. */
static void connection_comes(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const struct addrinfo stream = {.ai_socktype = SOCK_STREAM};
    socklen_t len = sizeof(at);
    struct addrinfo *list = NULL;
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1, accepted = -1;
    char port[8] = "0", end;

    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(listener, (struct sockaddr *)&at, len) == 0 &&
        listen(listener, 1) == 0 &&
        getsockname(listener, (struct sockaddr *)&at, &len) == 0)
        snprintf(port, sizeof(port), "%d", ntohs(at.sin_port));
    int client = socket(AF_INET, SOCK_STREAM, 0);
    if (getaddrinfo("127.0.0.1", port, &stream, &list) == 0 &&
        connect(client, list->ai_addr, list->ai_addrlen) == 0)
        accepted = accept(listener, NULL, NULL);
    if (accepted >= 0) {
        bytes_go(client, accepted);
        shutdown(client, SHUT_WR);
        if (read(accepted, &end, 1) == 0)
            close(accepted);
    }
    if (list)
        freeaddrinfo(list);
    close(client);
    close(listener);
}

static void words_are_said(void)
{
    FILE *nowhere = fopen("/dev/null", "we");

    if (!nowhere)
        return;
    setvbuf(nowhere, NULL, _IONBF, 0); /* as stderr is */
    fprintf(nowhere, "%s: %s: %ld %d\n", "program", strerror(ECONNRESET),
            strtol("1", NULL, 10), atoi("1"));
    fputs("line\n", nowhere);
    fflush(nowhere);
    fclose(nowhere);
}

void rehearse(void)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};

    if (!RUNNING_ON_VALGRIND)
        return;
    setup_note_text();
    self_is_process(1);
    free(malloc(1));
    connection_comes();
    words_are_said();
    sigaction(SIGCHLD, &standard, NULL);
    waitpid(-1, NULL, WNOHANG);
    memset(&self, 0, sizeof(self));
}
