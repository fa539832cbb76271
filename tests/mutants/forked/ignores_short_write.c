/* Wrong: what a short write leaves over is dropped.
 * Fails: partial
 * Line: 59
 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A listening socket on all local addresses; no return without one. */
static int listener_for(const char *port)
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

static int child(int fd)
{
    char buf[16384];
    ssize_t n;

    while ((n = read(fd, buf, sizeof(buf))) > 0)
        if (write(fd, buf, n) == -1) /* BUG */
            return 1;
    return n == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    int lfd;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    lfd = listener_for(argv[1]);
    for (;;) {
        pid_t pid;
        int connfd = accept(lfd, NULL, NULL);

        if (connfd < 0) {
            struct timespec tenth = {0, 100000000};
            switch (errno) {
            case EINTR:
            case ECONNABORTED:
            case EPROTO:
                break; /* that client went away: next, please */
            default:
                perror("accept");
                nanosleep(&tenth, NULL);
            }
            continue;
        }

        pid = fork();
        if (pid == 0) {
            close(lfd);
            _exit(child(connfd));
        }
        if (pid == -1)
            perror("fork");
        close(connfd);
    }
}
