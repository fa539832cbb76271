/* Right: sixteen bytes of buffer for each client: slow, and every byte
 * comes back.
 * Quick: no */
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
    char open, bytes[16];
    ssize_t held; /* of them, not written yet */
} client[FD_SETSIZE];

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int make_listener(const char *text)
{
    struct sockaddr_in any;
    char *end;
    long port;
    int fd, yes = 1;

    errno = 0;
    port = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || port <= 0 || port >= 65536) {
        errno = EINVAL;
        die(text);
    }
    memset(&any, 0, sizeof(any));
    any.sin_family = AF_INET;
    any.sin_port = htons((unsigned short)port);
    if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1)
        die("socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == -1)
        die("setsockopt");
    if (bind(fd, (struct sockaddr *)&any, sizeof(any)) == -1)
        die("bind");
    if (listen(fd, 128) == -1)
        die("listen");
    if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
        die("fcntl");
    return fd;
}

static void end(int fd)
{
    close(fd);
    client[fd].open = 0;
}

static int over(ssize_t result)
{
    return result < 0 && errno != EAGAIN && errno != EINTR;
}

static void serve(int fd)
{
    ssize_t n;

    if (client[fd].held == 0) {
        n = read(fd, client[fd].bytes, sizeof client[fd].bytes);
        if (n == 0 || over(n)) {
            end(fd);
            return;
        }
        client[fd].held = n > 0 ? n : 0;
    }
    if (client[fd].held > 0) {
        n = write(fd, client[fd].bytes, client[fd].held);
        if (over(n)) {
            end(fd);
        } else if (n > 0) {
            client[fd].held -= n;
            memmove(client[fd].bytes, client[fd].bytes + n, client[fd].held);
        }
    }
}

int main(int argc, char *argv[])
{
    int listener, fd, pause = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    listener = make_listener(argv[1]);
    while (1) {
        struct timeval tv = {.tv_usec = 100000};
        fd_set rd, wr;
        int top = listener;

        FD_ZERO(&rd);
        FD_ZERO(&wr);
        if (!pause)
            FD_SET(listener, &rd);
        for (fd = 0; fd < FD_SETSIZE; fd++) {
            if (!client[fd].open)
                continue;
            FD_SET(fd, client[fd].held ? &wr : &rd);
            top = fd > top ? fd : top;
        }
        if (select(top + 1, &rd, &wr, NULL, pause ? &tv : NULL) < 0) {
            if (errno == EINTR)
                continue;
            die("select");
        }
        pause = 0;
        for (fd = 0; fd <= top; fd++)
            if (client[fd].open && (FD_ISSET(fd, &rd) || FD_ISSET(fd, &wr)))
                serve(fd);
        if (!FD_ISSET(listener, &rd))
            continue;
        fd = accept(listener, NULL, NULL);
        if (fd < 0) {
            pause = errno != EAGAIN && errno != EINTR &&
                    errno != ECONNABORTED && errno != EPROTO;
        } else if (fd >= FD_SETSIZE || fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
            close(fd);
        } else {
            client[fd].open = 1;
            client[fd].held = 0;
        }
    }
}
