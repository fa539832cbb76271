/* Right: main blocks SIGCHLD, so that any failure of its ppoll() is one; a
 * second thread has the signal handled, in sigsuspend().
 * Quick: no */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct timespec a_while = {.tv_nsec = 100 * 1000 * 1000};

static void must(const char *call, int error)
{
    if (error == 0)
        return;
    fprintf(stderr, "reaper: %s: %s\n", call, strerror(error));
    exit(1);
}

static void undertaker(int sig)
{
    int e = errno;

    do
        sig = waitpid(-1, NULL, WNOHANG);
    while (sig > 0);
    errno = e;
}

static void *graveyard(void *mask)
{
    while (sigsuspend(mask) == -1 && errno == EINTR)
        continue;
    return mask;
}

/* With SIGCHLD blocked, as in main: no call is interrupted. */
static int parrot(int fd)
{
    char words[1024], *said;
    ssize_t heard = read(fd, words, sizeof words), n;

    while (heard > 0) {
        for (said = words; said < words + heard; said += n) {
            n = write(fd, said, (size_t)(words + heard - said));
            if (n == -1)
                return 1;
        }
        heard = read(fd, words, sizeof words);
    }
    return heard == 0 ? 0 : 1;
}

static void take_one(int door)
{
    int fd = accept4(door, NULL, NULL, SOCK_CLOEXEC);

    if (fd >= 0) {
        pid_t pid = fork();
        if (!pid) {
            close(door);
            _exit(parrot(fd));
        }
        close(fd);
        if (pid > 0)
            return;
        perror("fork");
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
               errno == ENOMEM) {
        ppoll(NULL, 0, &a_while, NULL);
    }
}

int main(int argc, char **argv)
{
    static sigset_t usual, chld;
    struct sigaction on_chld = {.sa_handler = undertaker};
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct pollfd door = {.events = POLLIN};
    pthread_t second;
    unsigned port;
    char extra;

    if (argc != 2) {
        fputs("usage: reaper PORT\n", stderr);
        return 2;
    }
    if (sscanf(argv[1], "%5u%c", &port, &extra) != 1 || port > 65535)
        must(argv[1], EINVAL);
    address.sin_port = htons((in_port_t)port);
    door.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    must("socket", door.fd < 0 ? errno : 0);
    setsockopt(door.fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    must("bind", bind(door.fd, (void *)&address, sizeof address) ? errno : 0);
    must("listen", listen(door.fd, SOMAXCONN) ? errno : 0);

    sigaction(SIGCHLD, &on_chld, NULL);
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    must("sigmask", pthread_sigmask(SIG_BLOCK, &chld, &usual));
    must("thread", pthread_create(&second, NULL, graveyard, &usual));
    while (ppoll(&door, 1, NULL, NULL) != -1)
        take_one(door.fd);
    perror("ppoll");
    return 1;
}
