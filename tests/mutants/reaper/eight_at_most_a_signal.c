/* Wrong: the handler reaps at most eight children for a signal; of more
 * that end together the rest stays.
 * Fails: zombie
 * Line: 31
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TRY(call)                                                              \
    do                                                                         \
        if ((call) < 0) {                                                      \
            perror("reaper: " #call);                                          \
            exit(1);                                                           \
        }                                                                      \
    while (0)

static void bury(int sig)
{
    const int errno_before = errno;
    int room = 8;

    (void)sig;
    while (room > 0 && waitpid(-1, NULL, WNOHANG) > 0) /* BUG */
        room--;
    errno = errno_before;
}

int main(int argc, char *argv[])
{
    const struct timespec tenth = {0, 100 * 1000 * 1000};
    struct sigaction ending = {.sa_handler = bury, .sa_flags = SA_NOCLDSTOP};
    struct sockaddr_in6 any = {.sin6_family = AF_INET6};
    int door, conn, number, off = 0, on = 1, taken = 0;
    char bytes[2048];

    if (argc != 2) {
        fputs("usage: reaper PORT\n", stderr);
        exit(2);
    }
    if (sscanf(argv[1], "%5d%n", &number, &taken) < 1 || argv[1][taken] ||
        number < 0 || number > 65535) {
        fprintf(stderr, "no port: %s: %s\n", argv[1], strerror(EINVAL));
        exit(1);
    }

    any.sin6_port = htons((uint16_t)number);
    door = socket(AF_INET6, SOCK_STREAM, 0);
    if (door < 0) /* IPv4 only: family, port and 0 stand at the same place */
        TRY(door = socket(any.sin6_family = AF_INET, SOCK_STREAM, 0));
    else
        TRY(setsockopt(door, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off));
    TRY(setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    TRY(bind(door, (struct sockaddr *)&any, sizeof any));
    TRY(listen(door, 100));
    sigemptyset(&ending.sa_mask);
    TRY(sigaction(SIGCHLD, &ending, NULL));
    while (1) {
        conn = accept(door, NULL, NULL);
        if (conn < 0 && errno != EINTR && errno != EPROTO &&
            errno != ECONNABORTED)
            nanosleep(&tenth, NULL);
        if (conn < 0)
            continue;
        pid_t child = fork();
        if (child < 0)
            perror("reaper: fork");
        if (child != 0) {
            close(conn);
            continue;
        }
        close(door);
        while (1) {
            char *rest = bytes;
            ssize_t len =
                TEMP_FAILURE_RETRY(recv(conn, bytes, sizeof bytes, 0));
            if (len <= 0)
                _exit(len < 0);
            do {
                ssize_t sent = TEMP_FAILURE_RETRY(send(conn, rest, len, 0));
                if (sent < 0)
                    _exit(1);
                rest += sent;
                len -= sent;
            } while (len > 0);
        }
    }
}
