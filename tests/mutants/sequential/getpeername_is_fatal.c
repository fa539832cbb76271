/* Wrong: asks for the name of each client for its log, and ends when a
 * client that has reset meanwhile has none.
 * Fails: reset
 * Line: 33
 */
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *program;

static int sorry(const char *text)
{
    fprintf(stderr, "%s: cannot listen: %s\n", program, text);
    return EXIT_FAILURE;
}

static void log_client(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_storage room;
    } peer;
    socklen_t size = sizeof peer;
    char who[64] = "?";

    if (getpeername(fd, &peer.any, &size) == -1) {
        perror("getpeername");
        exit(1); /* BUG */
    }
    getnameinfo(&peer.any, size, who, sizeof who, NULL, 0, NI_NUMERICHOST);
    fprintf(stderr, "%s: a client from %s\n", program, who);
}

static void echo_until_its_end(int fd)
{
    char line[1460];
    ssize_t in, out;

    do {
        in = recv(fd, line, sizeof line, 0);
        for (char *p = line; p < line + in; p += out)
            if ((out = send(fd, p, line + in - p, MSG_NOSIGNAL)) < 0)
                return;
    } while (in > 0);
}

int main(int argc, char **argv)
{
    struct addrinfo *where, how = {.ai_family = AF_INET,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    int fd, gai, door, reuse = 1;

    program = argv[0];
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", program);
        exit(2);
    }
    if (!isdigit((unsigned char)*argv[1]) || atol(argv[1]) > 65535)
        return sorry(gai_strerror(EAI_SERVICE));
    gai = getaddrinfo(NULL, argv[1], &how, &where);
    if (gai == EAI_SYSTEM)
        return sorry(strerror(errno));
    if (gai)
        return sorry(gai_strerror(gai));
    door = socket(where->ai_family, where->ai_socktype, where->ai_protocol);
    if (door < 0 ||
        setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse) < 0 ||
        bind(door, where->ai_addr, where->ai_addrlen) < 0 ||
        listen(door, 32) < 0)
        return sorry(strerror(errno));
    freeaddrinfo(where);

    for (;;) {
        fd = accept(door, NULL, NULL);
        if (fd >= 0) {
            log_client(fd);
            echo_until_its_end(fd);
            close(fd);
        } else if (errno != EPROTO && errno != ECONNABORTED) {
            perror("accept");
            usleep(150000);
        }
    }
}
