/* Wrong: a read that fails with ECONNRESET is taken for a failure of the
 * server, which gives up.
 * Fails: reset
 * Also: descriptors
 * Line: 97
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

static struct {
    int used, eof, head, fill;
    char data[9000];
} tab[FD_SETSIZE];

static int temporary(void)
{
    return errno == EAGAIN || errno == EINTR;
}

static void forget(int fd)
{
    tab[fd].used = 0;
    close(fd);
}

static int listen_on(const char *text)
{
    struct sockaddr_in addr = {.sin_family = AF_INET};
    char *end;
    long port = strtol(text, &end, 10);
    int fd, on = 1;

    if (end == text || *end != '\0' || port < 1 || port > 65535) {
        fprintf(stderr, "port %s: %s\n", text, strerror(EINVAL));
        exit(1);
    }
    addr.sin_port = htons(port);
    addr.sin_addr.s_addr = htonl(INADDR_ANY);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
        listen(fd, SOMAXCONN) < 0) {
        perror("cannot listen");
        exit(1);
    }
    return fd;
}

int main(int argc, char **argv)
{
    int lfd, fd, n, resting = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    lfd = listen_on(argv[1]);
    for (;;) {
        struct timeval tv = {.tv_usec = 100000};
        fd_set r, w;

        FD_ZERO(&r);
        FD_ZERO(&w);
        if (!resting)
            FD_SET(lfd, &r);
        for (fd = 0; fd < FD_SETSIZE; fd++) {
            if (tab[fd].used && !tab[fd].eof &&
                tab[fd].fill < (int)sizeof(tab[fd].data))
                FD_SET(fd, &r);
            if (tab[fd].used && tab[fd].fill > 0)
                FD_SET(fd, &w);
        }
        n = select(FD_SETSIZE, &r, &w, NULL, resting ? &tv : NULL);
        if (n < 0) {
            if (errno == EINTR)
                continue;
            perror("select");
            return 1;
        }
        resting = 0;
        for (fd = 0; fd < FD_SETSIZE; fd++) {
            if (tab[fd].used && FD_ISSET(fd, &r)) {
                n = read(fd, tab[fd].data + tab[fd].fill,
                         sizeof(tab[fd].data) - tab[fd].fill);
                if (n < 0 && !temporary()) {
                    perror("read");
                    exit(1); /* BUG */
                }
                tab[fd].eof = n == 0;
                tab[fd].fill += n > 0 ? n : 0;
            }
            if (tab[fd].used && tab[fd].fill > 0) {
                n = write(fd, tab[fd].data + tab[fd].head,
                          tab[fd].fill - tab[fd].head);
                if (n < 0 && !temporary()) {
                    forget(fd);
                    continue;
                }
                tab[fd].head += n > 0 ? n : 0;
                if (tab[fd].head == tab[fd].fill)
                    tab[fd].head = tab[fd].fill = 0;
            }
            if (tab[fd].used && tab[fd].eof && tab[fd].fill == 0)
                forget(fd);
        }
        if (!FD_ISSET(lfd, &r))
            continue;
        fd = accept(lfd, NULL, NULL);
        if (fd < 0) {
            resting = !temporary() && errno != ECONNABORTED && errno != EPROTO;
        } else if (fd >= FD_SETSIZE || fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
            close(fd);
        } else {
            tab[fd].used = 1;
            tab[fd].eof = tab[fd].head = tab[fd].fill = 0;
        }
    }
}
