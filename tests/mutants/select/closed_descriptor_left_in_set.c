/* Wrong: when a connection breaks, its descriptor is closed but stays in the
 * sets; the next select answers EBADF and the server ends.
 * Fails: reset
 * Also: sigpipe descriptors
 * Line: 65
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

static struct {
    int open, eof;
    size_t off, len;
    char buf[1024];
} conn[FD_SETSIZE];

static fd_set all_rd, all_wr;

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

static int again(int err)
{
    return err == EAGAIN || err == EINTR;
}

static void hang_up(int fd)
{
    conn[fd].open = 0;
    FD_CLR(fd, &all_rd);
    FD_CLR(fd, &all_wr);
    close(fd);
}

static void broken(int fd)
{
    conn[fd].open = 0;
    close(fd); /* BUG */
}

static void interest(int fd)
{
    FD_CLR(fd, &all_rd);
    FD_CLR(fd, &all_wr);
    if (!conn[fd].eof && conn[fd].len < sizeof(conn[fd].buf))
        FD_SET(fd, &all_rd);
    if (conn[fd].len > 0)
        FD_SET(fd, &all_wr);
}

static void serve(int fd, int readable)
{
    char *buf = conn[fd].buf;
    size_t len = conn[fd].len;
    ssize_t n = 0;

    if (readable) {
        n = recv(fd, buf + len, sizeof(conn[fd].buf) - len, 0);
        conn[fd].eof = n == 0;
        conn[fd].len += n > 0 ? n : 0;
    }
    if ((n >= 0 || again(errno)) && conn[fd].len > 0) {
        n = send(fd, buf + conn[fd].off, conn[fd].len - conn[fd].off,
                 MSG_NOSIGNAL);
        conn[fd].off += n > 0 ? n : 0;
        if (conn[fd].off == conn[fd].len)
            conn[fd].off = conn[fd].len = 0;
    }
    if (n < 0 && !again(errno))
        broken(fd);
    else if (conn[fd].eof && conn[fd].len == 0)
        hang_up(fd);
    else
        interest(fd);
}

int main(int argc, char **argv)
{
    int listener, fd, tired = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    listener = listen_on(argv[1]);
    while (1) {
        fd_set rd = all_rd, wr = all_wr;
        struct timeval tv = {0, 100000};

        if (!tired)
            FD_SET(listener, &rd);
        if (select(FD_SETSIZE, &rd, &wr, NULL, tired ? &tv : NULL) < 0) {
            if (errno == EINTR)
                continue;
            perror("select");
            exit(1);
        }
        tired = 0;
        for (fd = 0; fd < FD_SETSIZE; fd++)
            if (conn[fd].open && (FD_ISSET(fd, &rd) || FD_ISSET(fd, &wr)))
                serve(fd, FD_ISSET(fd, &rd));
        if (!FD_ISSET(listener, &rd))
            continue;
        fd = accept(listener, NULL, NULL);
        if (fd < 0) {
            tired = !again(errno) && errno != ECONNABORTED && errno != EPROTO;
        } else if (fd >= FD_SETSIZE || fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
            close(fd);
        } else {
            conn[fd].open = 1;
            conn[fd].eof = 0;
            conn[fd].off = conn[fd].len = 0;
            interest(fd);
        }
    }
}
