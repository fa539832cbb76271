/* Wrong: the parent waits for each child, so a silent client blocks all.
 * Fails: concurrency
 * Also: accept
 * Line: 116
 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A listening socket on all local addresses; no return without one. */
static int start_listening(const char *port)
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

static int write_all(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0) {
            return -1;
        }
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

static int serve(int connfd)
{
    char buffer[8192];

    for (;;) {
        ssize_t got = read(connfd, buffer, sizeof(buffer));
        if (got == 0)
            return 0;
        if (got < 0) {
            return -1;
        }
        if (write_all(connfd, buffer, (size_t)got) < 0)
            return -1;
    }
}

int main(int argc, char **argv)
{
    int lfd;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }

    lfd = start_listening(argv[1]);
    for (;;) {
        int connfd = accept(lfd, NULL, NULL);
        pid_t pid;

        if (connfd == -1) {
            struct timeval pause_time = {.tv_usec = 100000};
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                errno == ENOMEM)
                select(0, NULL, NULL, NULL, &pause_time);
            continue;
        }

        switch (pid = fork()) {
        case -1:
            perror("fork");
            close(connfd);
            break;
        case 0:
            close(lfd);
            _exit(serve(connfd) == 0 ? 0 : 1);
        default:
            close(connfd);
            waitpid(pid, NULL, 0); /* BUG */
            break;
        }
    }
}
