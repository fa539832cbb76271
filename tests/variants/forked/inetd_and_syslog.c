/* Right: as from inetd, a child reads 0 and writes 1, which are the
 * connection; each is a session of its own and writes to syslog(3). */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

static int copy_in_to_out(void)
{
    char buf[1024];

    for (;;) {
        ssize_t n = read(STDIN_FILENO, buf, sizeof buf);

        if (n == 0)
            return 0;
        if (n < 0 && errno != EINTR) {
            syslog(LOG_WARNING, "read: %m");
            return 1;
        }
        for (char *p = buf; n > 0;) {
            ssize_t done = write(STDOUT_FILENO, p, (size_t)n);

            if (done < 0 && errno != EINTR) {
                syslog(LOG_WARNING, "write: %m");
                return 1;
            }
            if (done > 0) {
                p += done;
                n -= done;
            }
        }
    }
}

static void child(int fd, int listener)
{
    close(listener);
    setsid();
    if (dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0) {
        syslog(LOG_ERR, "dup2: %m");
        _exit(1);
    }
    if (fd > STDERR_FILENO)
        close(fd);
    int status = copy_in_to_out();
    syslog(LOG_INFO, "done: %d", status);
    _exit(status);
}

static int listener_on(const char *text)
{
    struct sockaddr_in addr = {.sin_family = AF_INET};
    char *end;
    long port = strtol(text, &end, 10);
    int fd, on = 1;

    if (end == text || *end != '\0' || port < 1 || port > 65535) {
        fprintf(stderr, "port %s: %s\n", text, strerror(EINVAL));
        exit(1);
    }
    addr.sin_port = htons((in_port_t)port);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, (struct sockaddr *)&addr, sizeof addr) < 0 ||
        listen(fd, 128) < 0) {
        fprintf(stderr, "port %s: %s\n", text, strerror(errno));
        exit(1);
    }
    return fd;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    openlog("forked", LOG_PID, LOG_DAEMON);
    int listener = listener_on(argv[1]);
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd < 0) {
            if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO)
                continue;
            syslog(LOG_ERR, "accept: %m");
            poll(NULL, 0, 200);
            continue;
        }
        switch (fork()) {
        case 0:
            child(fd, listener);
            break;
        case -1:
            syslog(LOG_ERR, "fork: %m");
        }
        close(fd);
    }
}
