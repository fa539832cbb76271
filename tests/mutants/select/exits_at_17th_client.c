/* Wrong: the table holds sixteen connections, and the seventeenth at once
 * ends the server.
 * Fails: concurrency
 * Also: memory
 * Line: 76
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

#define MAXCLIENTS 16

static struct {
    int fd; /* -1: free */
    int eof, off, len;
    char buf[8192];
} table[MAXCLIENTS];

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

static void drop(int i)
{
    close(table[i].fd);
    table[i].fd = -1;
}

static void add(int fd)
{
    for (int i = 0; i < MAXCLIENTS; i++) {
        if (table[i].fd != -1)
            continue;
        table[i].fd = fd;
        table[i].eof = table[i].off = table[i].len = 0;
        return;
    }
    fprintf(stderr, "too many clients\n");
    exit(1); /* BUG */
}

static void serve(int i, int readable)
{
    int n;

    if (readable) {
        n = recv(table[i].fd, table[i].buf + table[i].len,
                 sizeof(table[i].buf) - table[i].len, MSG_DONTWAIT);
        if (n == -1 && errno != EAGAIN && errno != EINTR) {
            drop(i);
            return;
        }
        if (n == 0)
            table[i].eof = 1;
        if (n > 0)
            table[i].len += n;
    }
    if (table[i].off < table[i].len) {
        n = send(table[i].fd, table[i].buf + table[i].off,
                 table[i].len - table[i].off, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n == -1 && errno != EAGAIN && errno != EINTR) {
            drop(i);
            return;
        }
        if (n > 0)
            table[i].off += n;
    }
    if (table[i].off == table[i].len)
        table[i].off = table[i].len = 0;
    if (table[i].eof && table[i].len == 0)
        drop(i);
}

int main(int argc, char *argv[])
{
    int listener, fd, i, pause = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    for (i = 0; i < MAXCLIENTS; i++)
        table[i].fd = -1;
    listener = make_listener(argv[1]);
    while (1) {
        struct timeval tv = {0, 100000};
        fd_set rd, wr;

        FD_ZERO(&rd);
        FD_ZERO(&wr);
        if (!pause)
            FD_SET(listener, &rd);
        for (i = 0; i < MAXCLIENTS; i++) {
            if ((fd = table[i].fd) == -1)
                continue;
            if (!table[i].eof && table[i].len < (int)sizeof(table[i].buf))
                FD_SET(fd, &rd);
            if (table[i].len > 0)
                FD_SET(fd, &wr);
        }
        if (select(FD_SETSIZE, &rd, &wr, NULL, pause ? &tv : NULL) == -1) {
            if (errno == EINTR)
                continue;
            die("select");
        }
        pause = 0;
        for (i = 0; i < MAXCLIENTS; i++) {
            fd = table[i].fd;
            if (fd != -1 && (FD_ISSET(fd, &rd) || FD_ISSET(fd, &wr)))
                serve(i, FD_ISSET(fd, &rd));
        }
        if (!FD_ISSET(listener, &rd))
            continue;
        fd = accept(listener, NULL, NULL);
        if (fd == -1)
            pause = errno != EAGAIN && errno != EINTR &&
                    errno != ECONNABORTED && errno != EPROTO;
        else if (fd >= FD_SETSIZE)
            close(fd);
        else
            add(fd);
    }
}
