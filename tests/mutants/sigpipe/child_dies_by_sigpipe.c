/* Wrong: a child leaves SIGPIPE at its default and dies by it; the parent
 * counts that death as a broken connection.
 * Fails: sigpipe
 * Line: 90
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BROKEN 3

static atomic_uint broken; /* touched by the handler alone */

static void write_fully(int fd, const char *p, size_t left)
{
    while (left > 0) {
        ssize_t n = write(fd, p, left);
        if (n < 0 && errno != EINTR)
            return;
        if (n > 0) {
            p += n;
            left -= (size_t)n;
        }
    }
}

/* Only calls that are safe in a handler: no printf here. */
static void print_line(unsigned count)
{
    char line[40] = "broken connections: ";
    char digits[12];
    size_t len = strlen(line), n = 0;
    do
        digits[n++] = (char)('0' + count % 10);
    while ((count /= 10) > 0);
    while (n > 0)
        line[len++] = digits[--n];
    line[len++] = '\n';
    write_fully(STDOUT_FILENO, line, len);
}

static void reap(int sig)
{
    int saved = errno, status;
    (void)sig;
    while (waitpid(-1, &status, WNOHANG) > 0)
        if ((WIFEXITED(status) && WEXITSTATUS(status) == BROKEN) ||
            WIFSIGNALED(status))
            print_line(++broken);
    errno = saved;
}

static int server_socket(const char *service)
{
    char *end;
    long port = strtol(service, &end, 10);
    if (end == service || *end || port < 1 || port > 65535) {
        fprintf(stderr, "port %s: %s\n", service, strerror(EINVAL));
        exit(1);
    }
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in any = {.sin_family = AF_INET,
                              .sin_port = htons((in_port_t)port)};
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, (struct sockaddr *)&any, sizeof any) < 0 ||
        listen(fd, 100) < 0) {
        fprintf(stderr, "cannot listen on %s: %s\n", service, strerror(errno));
        exit(1);
    }
    return fd;
}

static int child(int conn)
{
    char buf[4096];
    ssize_t n, w, at;
    while ((n = recv(conn, buf, sizeof buf, 0)) != 0) {
        if (n < 0 && errno != EINTR)
            return BROKEN;
        for (at = 0; at < n; at += w) {
            w = send(conn, buf + at, (size_t)(n - at), 0); /* BUG */
            if (w < 0 && errno != EINTR)
                return BROKEN;
            if (w < 0)
                w = 0;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    struct sigaction sa = {.sa_handler = reap, .sa_flags = SA_RESTART};
    sigemptyset(&sa.sa_mask);
    sigaction(SIGCHLD, &sa, NULL);
    int listener = server_socket(argv[1]);
    for (;;) {
        int conn = accept(listener, NULL, NULL);
        if (conn < 0) {
            if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
                nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
            continue;
        }
        pid_t pid = fork();
        if (pid == 0) {
            close(listener);
            _exit(child(conn));
        }
        if (pid < 0)
            fprintf(stderr, "fork: %s\n", strerror(errno));
        close(conn);
    }
}
