/* Right: sigaction(), then siginterrupt() has accept() restarted: EINTR never
 * comes, and any failure of accept() but the known ones ends the program.
 * Quick: no */
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static void mourn(int signo)
{
    siginfo_t dead = {.si_pid = 0};
    int errno_of_main = errno;

    (void)signo;
    while (waitid(P_ALL, 0, &dead, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           dead.si_pid > 0) {
        waitpid(dead.si_pid, NULL, 0); /* it has ended */
        dead.si_pid = 0;
    }
    errno = errno_of_main;
}

static int bind_and_listen(const char *port)
{
    static const struct addrinfo passive = {.ai_family = AF_INET,
                                            .ai_socktype = SOCK_STREAM,
                                            .ai_flags = AI_PASSIVE};
    struct addrinfo *a = NULL;
    long value = strtol(port, NULL, 10);
    int l = -1, one = 1;
    int e = !*port || value < 0 || value > 65535
                ? EAI_SERVICE
                : getaddrinfo(NULL, port, &passive, &a);

    if (e == 0) {
        l = socket(AF_INET, SOCK_STREAM, 0);
        if (l != -1)
            setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (l != -1 && bind(l, a->ai_addr, a->ai_addrlen) == 0 &&
            listen(l, SOMAXCONN) == 0) {
            freeaddrinfo(a);
            return l;
        }
        e = EAI_SYSTEM;
    }
    fprintf(stderr, "no server on port %s: %s\n", port,
            e == EAI_SYSTEM ? strerror(errno) : gai_strerror(e));
    exit(EXIT_FAILURE);
}

static void answer(int c)
{
    char text[777];
    ssize_t length, put;
    size_t at = 0;

    for (length = 0; length >= 0;) {
        if ((size_t)length > at) {
            put = write(c, text + at, (size_t)length - at);
            if (put < 0)
                break;
            at += (size_t)put;
            continue;
        }
        at = 0;
        length = read(c, text, sizeof text);
        if (length == 0)
            _exit(EXIT_SUCCESS);
    }
    _exit(EXIT_FAILURE);
}

/* What accept() may fail with: a shortage is waited out. */
static int passes(int error)
{
    const struct timespec tenth = {0, 100000000};

    switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        nanosleep(&tenth, NULL);
        return 1;
    case ECONNABORTED:
    case EPROTO:
        return 1;
    default:
        return 0;
    }
}

int main(int argc, char **argv)
{
    if (argc == 2) {
        int l = bind_and_listen(argv[1]), c;
        struct sigaction chld;
        memset(&chld, 0, sizeof chld);
        chld.sa_handler = mourn;
        if (sigaction(SIGCHLD, &chld, NULL) == 0 &&
            siginterrupt(SIGCHLD, 0) == 0)
            do {
                c = accept(l, NULL, NULL);
                pid_t pid = c == -1 ? 1 : fork();
                if (pid == 0) {
                    close(l);
                    answer(c);
                }
                if (pid == -1)
                    perror("fork");
                if (c != -1)
                    close(c);
            } while (c != -1 || passes(errno));
        perror("SIGCHLD or accept");
        exit(EXIT_FAILURE);
    }
    fprintf(stderr, "usage: %s PORT\n", argv[0]);
    exit(2);
}
