/* Wrong: when accept answers EMFILE the listener stays in the set and stays
 * readable, so the server runs in circles until a descriptor is free.
 * Fails: accept
 * Line: 59
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

static struct session {
    int open, eof;
    size_t begin, end;
    char buf[2500];
} session[FD_SETSIZE];

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

static void finish(int fd)
{
    close(fd);
    session[fd].open = 0;
}

static void accept_client(int listener)
{
    int fd = accept(listener, NULL, NULL); /* BUG */

    if (fd < 0)
        return;
    if (fd >= FD_SETSIZE || fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
        close(fd);
        return;
    }
    session[fd].open = 1;
    session[fd].eof = 0;
    session[fd].begin = session[fd].end = 0;
}

static void from_client(int fd)
{
    struct session *s = &session[fd];
    ssize_t n = recv(fd, s->buf + s->end, sizeof(s->buf) - s->end, 0);

    if (n > 0)
        s->end += n;
    else if (n == 0)
        s->eof = 1;
    else if (!again(errno))
        finish(fd);
}

static void to_client(int fd)
{
    struct session *s = &session[fd];
    ssize_t n = 0;

    if (s->begin < s->end)
        n = send(fd, s->buf + s->begin, s->end - s->begin, MSG_NOSIGNAL);
    if (n < 0 && !again(errno)) {
        finish(fd);
        return;
    }
    if (n > 0)
        s->begin += n;
    if (s->begin == s->end)
        s->begin = s->end = 0;
    if (s->eof && s->end == 0)
        finish(fd);
}

int main(int argc, char **argv)
{
    int listener, fd, maxfd;
    fd_set rd, wr;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    listener = listen_on(argv[1]);
    for (;;) {
        FD_ZERO(&rd);
        FD_ZERO(&wr);
        FD_SET(listener, &rd);
        maxfd = listener;
        for (fd = 0; fd < FD_SETSIZE; fd++) {
            struct session *s = &session[fd];

            if (!s->open)
                continue;
            if (fd > maxfd)
                maxfd = fd;
            if (!s->eof && s->end < sizeof(s->buf))
                FD_SET(fd, &rd);
            if (s->end > 0)
                FD_SET(fd, &wr);
        }
        if (select(maxfd + 1, &rd, &wr, NULL, NULL) < 0) {
            if (errno == EINTR)
                continue;
            perror("select");
            return 1;
        }
        for (fd = 0; fd <= maxfd; fd++) {
            int ready = FD_ISSET(fd, &rd) || FD_ISSET(fd, &wr);

            if (session[fd].open && FD_ISSET(fd, &rd))
                from_client(fd);
            if (session[fd].open && ready)
                to_client(fd);
        }
        if (FD_ISSET(listener, &rd))
            accept_client(listener);
    }
}
