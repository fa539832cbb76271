/* Wrong: the mapping is private; each child counts in its own copy, and N
 * never reaches 2.
 * Fails: sigpipe
 * Line: 34
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

struct shared {
    sem_t lock; /* held from the count to the line: lines come in order */
    int broken;
};

static struct shared *shared;

static void stop(const char *why)
{
    perror(why);
    exit(1);
}

static void share_counter(void)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); /* BUG */
    if (shared == MAP_FAILED)
        stop("mmap");
    if (sem_init(&shared->lock, 1, 1) < 0)
        stop("sem_init");
}

static void report_broken(void)
{
    while (sem_wait(&shared->lock) < 0 && errno == EINTR)
        ;
    printf("broken connections: %d\n", ++shared->broken);
    fflush(stdout);
    sem_post(&shared->lock);
}

static int start_listening(const char *arg)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    char *end;
    int on = 1;
    long port = strtol(arg, &end, 10);
    if (*arg == '\0' || *end != '\0' || port < 1 || port > 65535) {
        errno = EINVAL;
        stop(arg);
    }
    a.sin_port = htons((in_port_t)port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        stop("socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
        stop("SO_REUSEADDR");
    if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0)
        stop("bind");
    if (listen(fd, SOMAXCONN) < 0)
        stop("listen");
    return fd;
}

static int echo(int fd)
{
    char buf[4096];
    for (;;) {
        ssize_t n = read(fd, buf, sizeof buf);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? 0 : -1;
        for (char *p = buf; n > 0;) {
            ssize_t w = write(fd, p, (size_t)n);
            if (w < 0 && errno == EINTR)
                continue;
            if (w < 0)
                return -1;
            p += w;
            n -= w;
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    share_counter();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN); /* the kernel reaps: wait(2), NOTES */
    int listener = start_listening(argv[1]);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) {
            if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
                poll(NULL, 0, 100);
            continue;
        }
        switch (fork()) {
        case -1:
            perror("fork");
            break;
        case 0:
            close(listener);
            if (echo(fd) < 0)
                report_broken();
            close(fd);
            _exit(0);
        }
        close(fd);
    }
}
