/* Wrong: SIGUSR1 asks how many clients there were; the read that it
 * interrupts is taken for the end of the connection.
 * Fails: interrupt
 * Line: 92
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

/* getaddrinfo() takes 70000 for 4464. */
static int port_is_bad(const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);

    return *end == '\0' && (port < 1 || port > 65535);
}

/* A listening socket, or -1 after a message. */
static int open_listener(const char *port)
{
    struct addrinfo hints = {.ai_family = AF_INET,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE};
    struct addrinfo *ai;
    int fd, on = 1;
    int rc =
        port_is_bad(port) ? EAI_SERVICE : getaddrinfo(NULL, port, &hints, &ai);

    if (rc != 0) {
        fprintf(stderr, "port %s: %s\n", port, gai_strerror(rc));
        return -1;
    }
    fd = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, 64) < 0) {
        fprintf(stderr, "port %s: %s\n", port, strerror(errno));
        freeaddrinfo(ai);
        return -1;
    }
    freeaddrinfo(ai);
    return fd;
}

static volatile sig_atomic_t asked;

static void on_usr1(int sig)
{
    (void)sig;
    asked = 1;
}

static void pause_a_little(void)
{
    struct timeval tenth = {.tv_usec = 100000};

    select(0, NULL, NULL, NULL, &tenth);
}

static int get_client(int lfd)
{
    fd_set ready;
    int fd;

    for (;;) {
        FD_ZERO(&ready);
        FD_SET(lfd, &ready);
        if (select(lfd + 1, &ready, NULL, NULL, NULL) < 0) {
            if (errno != EINTR)
                pause_a_little();
            continue;
        }
        fd = accept(lfd, NULL, NULL);
        if (fd >= 0)
            return fd;
        if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
            pause_a_little();
    }
}

static int echo_some(int fd)
{
    char buf[1024];
    ssize_t n = read(fd, buf, sizeof buf), done = 0; /* BUG */

    if (n < 0)
        return 0;
    while (done < n) {
        ssize_t w = write(fd, buf + done, (size_t)(n - done));

        if (w < 0 && errno != EINTR)
            return 0;
        if (w > 0)
            done += w;
    }
    return n > 0;
}

int main(int argc, char **argv)
{
    struct sigaction usr1 = {.sa_handler = on_usr1};
    unsigned long clients = 0;
    int lfd, fd;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    lfd = open_listener(argv[1]);
    if (lfd < 0)
        return 1;
    if (lfd >= FD_SETSIZE) {
        fprintf(stderr, "descriptor %d is too large for select\n", lfd);
        return 1;
    }
    sigaction(SIGUSR1, &usr1, NULL);
    for (;;) {
        fd = get_client(lfd);
        clients++;
        while (echo_some(fd))
            ;
        close(fd);
        if (asked)
            fprintf(stderr, "%lu clients\n", clients);
        asked = 0;
    }
}
