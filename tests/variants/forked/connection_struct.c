/* Right: an allocated struct for each client, freed on both sides.
 * Quick: no */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A listening socket on all local addresses; no return without one. */
static int tcp_listen(const char *port)
{
    struct addrinfo hints, *list, *ai;
    char *end;
    long number = strtol(port, &end, 10);
    int fd = -1, on = 1, rc = EAI_SERVICE, why = 0;

    memset(&hints, 0, sizeof(hints));
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    if (*end != '\0' || (number > 0 && number < 65536))
        rc = getaddrinfo(NULL, port, &hints, &list);
    if (rc != 0) {
        fprintf(stderr, "port %s: %s\n", port, gai_strerror(rc));
        exit(1);
    }
    for (ai = list; ai != NULL; ai = ai->ai_next) {
        fd = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
        if (fd == -1) {
            why = errno;
            continue;
        }
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 &&
            listen(fd, SOMAXCONN) == 0)
            break;
        why = errno;
        close(fd);
        fd = -1;
    }
    freeaddrinfo(list);
    if (fd == -1) {
        fprintf(stderr, "cannot listen on port %s: %s\n", port, strerror(why));
        exit(1);
    }
    return fd;
}

struct connection {
    int fd;
    struct sockaddr_storage peer;
    socklen_t peer_len;
    char buf[4096];
};

static void connection_free(struct connection *c)
{
    close(c->fd);
    free(c);
}

static int connection_serve(struct connection *c)
{
    ssize_t n, w, sent;

    while ((n = read(c->fd, c->buf, sizeof(c->buf))) > 0)
        for (sent = 0; sent < n; sent += w)
            if ((w = write(c->fd, c->buf + sent, n - sent)) == -1)
                return 1;
    return n == 0 ? 0 : 1;
}

static void start_child(struct connection *c, int listenfd)
{
    pid_t pid = fork();

    if (pid == 0) {
        int status;

        close(listenfd);
        status = connection_serve(c);
        connection_free(c);
        _exit(status);
    }
    if (pid == -1)
        perror("fork");
    connection_free(c);
}

int main(int argc, char **argv)
{
    int listenfd;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    listenfd = tcp_listen(argv[1]);
    for (;;) {
        struct sockaddr_storage peer;
        socklen_t len = sizeof(peer);
        struct connection *c;
        int connfd = accept(listenfd, (struct sockaddr *)&peer, &len);

        if (connfd == -1) {
            /* A shortage may last: do not ask again at once. */
            if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
                poll(NULL, 0, 100);
            continue;
        }

        if ((c = calloc(1, sizeof(*c))) == NULL) {
            perror("calloc");
            close(connfd);
            continue;
        }
        c->fd = connfd;
        c->peer = peer;
        c->peer_len = len;
        start_child(c, listenfd);
    }
}
