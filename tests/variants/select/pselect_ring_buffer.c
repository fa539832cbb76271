/* Right: pselect and a ring buffer for each client, with SIGPIPE blocked. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#define SIZE 4096

struct client {
    unsigned long in, out; /* bytes read and written so far */
    int eof;
    unsigned char ring[SIZE];
};

static struct client *client[FD_SETSIZE]; /* by descriptor */

static int open_listener(const char *port)
{
    struct addrinfo hints = {.ai_family = AF_INET,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *ai;
    long number = strtol(port, NULL, 10);
    int fd, on = 1, rc = EAI_SERVICE;

    if (number > 0 && number < 65536)
        rc = getaddrinfo(NULL, port, &hints, &ai);
    if (rc != 0) {
        fprintf(stderr, "port %s: %s\n", port, gai_strerror(rc));
        exit(1);
    }
    fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK, 0);
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 ||
        listen(fd, SOMAXCONN) < 0) {
        fprintf(stderr, "cannot listen on %s: %s\n", port, strerror(errno));
        exit(1);
    }
    freeaddrinfo(ai);
    return fd;
}

/* accept(2), ERRORS: the ones that pass by themselves */
static int passing(int err)
{
    return err == EAGAIN || err == EINTR || err == ECONNABORTED ||
           err == EPROTO;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Each returns 0, or -1 when the connection is broken. */
static int fill(int fd, struct client *c)
{
    size_t at = c->in % SIZE, room = SIZE - (c->in - c->out);
    ssize_t n = recv(fd, c->ring + at, least(room, SIZE - at), 0);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    c->eof = n == 0;
    c->in += n;
    return 0;
}

static int drain(int fd, struct client *c)
{
    size_t at = c->out % SIZE;
    ssize_t n = send(fd, c->ring + at, least(c->in - c->out, SIZE - at), 0);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    c->out += n;
    return 0;
}

static int take(int listener)
{
    int fd = accept(listener, NULL, NULL);

    if (fd < 0)
        return !passing(errno);
    if (fd >= FD_SETSIZE || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ||
        (client[fd] = calloc(1, sizeof(struct client))) == NULL)
        close(fd);
    return 0;
}

static void turn(int fd, int readable, int writable)
{
    struct client *c = client[fd];
    int broken = readable && fill(fd, c) < 0;

    if (!broken && (writable || readable) && c->in != c->out)
        broken = drain(fd, c) < 0;
    if (broken || (c->eof && c->in == c->out)) {
        close(fd);
        free(c);
        client[fd] = NULL;
    }
}

int main(int argc, char **argv)
{
    sigset_t sigpipe;
    int listener, paused = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    sigemptyset(&sigpipe);
    sigaddset(&sigpipe, SIGPIPE);
    sigprocmask(SIG_BLOCK, &sigpipe, NULL);
    listener = open_listener(argv[1]);
    for (;;) {
        struct timespec tenth = {.tv_nsec = 100000000};
        int fd, last = listener, was_paused = paused;
        fd_set rd, wr;

        FD_ZERO(&rd);
        FD_ZERO(&wr);
        if (!paused)
            FD_SET(listener, &rd);
        for (fd = 0; fd < FD_SETSIZE; fd++) {
            struct client *c = client[fd];

            if (c == NULL)
                continue;
            last = fd > last ? fd : last;
            if (!c->eof && c->in - c->out < SIZE)
                FD_SET(fd, &rd);
            if (c->in != c->out)
                FD_SET(fd, &wr);
        }
        if (pselect(last + 1, &rd, &wr, NULL, paused ? &tenth : NULL, NULL) <
            0) {
            if (errno == EINTR)
                continue;
            perror("pselect");
            return 1;
        }
        paused = 0;
        for (fd = 0; fd <= last; fd++)
            if (client[fd] != NULL)
                turn(fd, FD_ISSET(fd, &rd), FD_ISSET(fd, &wr));
        if (!was_paused && FD_ISSET(listener, &rd))
            paused = take(listener);
    }
}
