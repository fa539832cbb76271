/* Wrong: the jump out of the SIGPIPE handler goes past close(); each
 * vanished client costs a descriptor for ever.
 * Fails: descriptors
 * Line: 106
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static sigjmp_buf hung_up;
static volatile sig_atomic_t serving; /* hung_up may be jumped to */

static void on_sigpipe(int sig)
{
    (void)sig;
    if (serving)
        siglongjmp(hung_up, 1);
}

static int listening_socket(const char *arg)
{
    char *end;
    const char *what = arg;
    int fd = -1, on = 1;
    struct sockaddr_in addr = {.sin_family = AF_INET};
    long port = strtol(arg, &end, 10);

    errno = EINVAL;
    if (end == arg || *end || port < 1 || port > 65535)
        goto fail;
    addr.sin_port = htons((in_port_t)port);
    addr.sin_addr.s_addr = htonl(INADDR_ANY);
    what = "socket";
    if ((fd = socket(AF_INET, SOCK_STREAM, 0)) < 0)
        goto fail;
    what = "setsockopt";
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
        goto fail;
    what = "bind";
    if (bind(fd, (struct sockaddr *)&addr, sizeof addr) < 0)
        goto fail;
    what = "listen";
    if (listen(fd, 128) < 0)
        goto fail;
    return fd;
fail:
    perror(what);
    exit(1);
}

static int echo(int fd)
{
    char buf[1500];
    ssize_t n, w, i;
    for (;;) {
        do
            n = read(fd, buf, sizeof buf);
        while (n < 0 && errno == EINTR);
        if (n <= 0)
            return (int)n;
        for (i = 0; i < n; i += w) {
            w = write(fd, buf + i, (size_t)(n - i));
            if (w < 0 && errno == EINTR)
                w = 0;
            if (w < 0)
                return -1;
        }
    }
}

int main(int argc, char **argv)
{
    struct sigaction sa = {.sa_handler = on_sigpipe};
    volatile int broken = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    sigemptyset(&sa.sa_mask);
    if (sigaction(SIGPIPE, &sa, NULL) < 0) {
        perror("sigaction");
        return 1;
    }
    int listener = listening_socket(argv[1]);
    if (sigsetjmp(hung_up, 1) != 0) {
        serving = 0;
        printf("broken connections: %d\n", ++broken);
        fflush(stdout);
    }
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) {
            if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
                poll(NULL, 0, 100);
            continue;
        }
        serving = 1;
        int result = echo(fd); /* BUG */
        serving = 0;
        close(fd);
        if (result < 0) {
            printf("broken connections: %d\n", ++broken);
            fflush(stdout);
        }
    }
}
