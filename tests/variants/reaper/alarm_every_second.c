/* Right: an interval timer reaps, once a second. A zombie may be there for a
 * moment; none stays.
 * Quick: no */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static void reap(int sig)
{
    int before = errno;

    (void)sig;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    errno = before;
}

static void serve(int fd)
{
    char buf[700];
    ssize_t n, done;

    while ((n = recv(fd, buf, sizeof buf, 0)) != 0) {
        if (n < 0 && errno != EINTR)
            _exit(1);
        for (char *p = buf; n > 0;) {
            done = send(fd, p, (size_t)n, MSG_NOSIGNAL);
            if (done < 0 && errno != EINTR)
                _exit(1);
            p += done > 0 ? done : 0;
            n -= done > 0 ? done : 0;
        }
    }
    _exit(0);
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
    const struct sigaction on_alarm = {.sa_handler = reap,
                                       .sa_flags = SA_RESTART};
    const struct itimerval each_second = {{1, 0}, {1, 0}};

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    int listener = listener_on(argv[1]);
    if (sigaction(SIGALRM, &on_alarm, NULL) < 0 ||
        setitimer(ITIMER_REAL, &each_second, NULL) < 0) {
        perror("timer");
        return 1;
    }
    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                errno == ENOMEM)
                poll(NULL, 0, 100);
            continue;
        }
        pid_t pid = fork();
        if (pid == 0) {
            close(listener);
            serve(fd);
        }
        if (pid < 0)
            perror("fork");
        close(fd);
    }
}
