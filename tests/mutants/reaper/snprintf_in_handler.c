/* Wrong: the handler makes its message by snprintf(), which is not
 * async-signal-safe.
 * Fails: handler
 * Line: 26
 */
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>

static void obituary(int signo)
{
    char text[48];
    int keep = errno, how;

    (void)signo;
    for (;;) {
        long pid = waitpid(-1, &how, WNOHANG);
        if (pid < 1)
            break;
        int len = snprintf(text, sizeof text, "%ld: %d\n", pid, how); /* BUG */
        if (write(STDERR_FILENO, text, len) < len)
            continue; /* the log may be lost */
    }
    errno = keep;
}

/* -1 when it cannot, and has said why. */
static int server_socket(const char *service)
{
    struct addrinfo *list = NULL, *ai, hints = {.ai_flags = AI_PASSIVE};
    int sock = -1, why = EAI_SERVICE;
    const char *reason;

    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    if (strspn(service, "0123456789") == strlen(service) && *service != '\0' &&
        strtoul(service, NULL, 10) < 65536)
        why = getaddrinfo(NULL, service, &hints, &list);
    reason = gai_strerror(why);
    if (why == EAI_SYSTEM)
        reason = strerror(errno);
    if (why != 0)
        goto failed;
    for (ai = list; ai != NULL; ai = ai->ai_next) {
        sock = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
        if (sock != -1) {
            setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
            if (bind(sock, ai->ai_addr, ai->ai_addrlen) != -1 &&
                listen(sock, 128) != -1)
                goto done;
        }
        reason = strerror(errno);
        if (sock != -1)
            close(sock);
        sock = -1;
    }
failed:
    fprintf(stderr, "reaper: port %s: %s\n", service, reason);
done:
    if (list != NULL)
        freeaddrinfo(list);
    return sock;
}

static int serve(int conn)
{
    unsigned char block[512];
    ssize_t got, put, total;

    while ((got = read(conn, block, sizeof block)) > 0)
        for (total = 0; total < got; total += put)
            if ((put = write(conn, &block[total], got - total)) == -1)
                return 1;
    return got == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 2) {
        int listening = server_socket(argv[1]);
        if (listening == -1)
            return 1;
        signal(SIGCHLD, obituary); /* as in BSD: calls are restarted */
        for (;;) {
            int conn = accept(listening, NULL, NULL);
            pid_t pid = conn == -1 ? 1 : fork();
            if (pid == 0) {
                close(listening);
                _exit(serve(conn));
            } else if (conn != -1) {
                close(conn);
            } else if (errno != ECONNABORTED && errno != EPROTO) {
                struct timeval pause = {.tv_usec = 100000};
                select(0, NULL, NULL, NULL, &pause);
            }
        }
    }
    fprintf(stderr, "usage: %s PORT\n", argv[0]);
    return 2;
}
