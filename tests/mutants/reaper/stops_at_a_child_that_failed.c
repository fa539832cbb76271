/* Wrong: the handler's loop ends at a child whose status is not 0, for that is
 *        counted. Those that ended together with it stay zombies.
 * Fails: zombie
 * Line: 24
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t failures;

static void on_sigchld(int signal_number)
{
    int before = errno, status;

    (void)signal_number;
    while (waitpid(-1, &status, WNOHANG) > 0) { /* BUG */
        if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS) {
            failures = failures + 1;
            break;
        }
    }
    errno = before;
}

static int put(int fd, const char *from, size_t count)
{
    while (count > 0) {
        ssize_t n = send(fd, from, count, MSG_NOSIGNAL);

        if (n < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        from += n;
        count -= (size_t)n;
    }
    return 0;
}

static int serve(int fd)
{
    char piece[1024];

    for (;;) {
        ssize_t n = recv(fd, piece, sizeof(piece), 0);

        if (n == 0)
            return EXIT_SUCCESS;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || put(fd, piece, (size_t)n) < 0)
            return EXIT_FAILURE;
    }
}

static int bind_to(unsigned short port)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
    int yes = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0 &&
        bind(fd, (struct sockaddr *)&any, sizeof(any)) == 0 &&
        listen(fd, SOMAXCONN) == 0)
        return fd;
    yes = errno;
    close(fd);
    errno = yes;
    return -1;
}

int main(int argc, char *argv[])
{
    struct sigaction chld;
    int listener, told = 0;
    char *end;
    unsigned long port;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    port = strtoul(argv[1], &end, 10);
    errno = EINVAL;
    if (end == argv[1] || *end != '\0' || port == 0 || port > 65535 ||
        (listener = bind_to((unsigned short)port)) < 0) {
        fprintf(stderr, "%s: port %s: %s\n", argv[0], argv[1], strerror(errno));
        return 1;
    }
    memset(&chld, 0, sizeof(chld));
    chld.sa_handler = on_sigchld;
    chld.sa_flags = SA_NOCLDSTOP;
    sigemptyset(&chld.sa_mask);
    if (sigaction(SIGCHLD, &chld, NULL) < 0) {
        perror("sigaction");
        return 1;
    }
    for (;;) {
        int fd = accept(listener, NULL, NULL), error = errno;
        pid_t pid;

        if (told != failures) {
            told = failures;
            fprintf(stderr, "%d children have failed\n", told);
        }
        if (fd < 0) {
            if (error != EINTR && error != ECONNABORTED && error != EPROTO)
                poll(NULL, 0, 100);
            continue;
        }
        pid = fork();
        if (pid < 0)
            perror("fork");
        if (pid == 0) {
            close(listener);
            _exit(serve(fd));
        }
        close(fd);
    }
}
