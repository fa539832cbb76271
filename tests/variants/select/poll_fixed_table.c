/* Right: one fixed table of 512 entries, unused ones -1, polled whole each
 * time; buffers that grow and shrink by realloc; small kernel buffers.
 * Quick: no */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *failed_call;

static void net_report(const char *program)
{
    fprintf(stderr, "%s: %s: %s\n", program, failed_call, strerror(errno));
}

/* All IPv4 addresses. */
static int tcp_listen(const char *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    int on = 1, fd;
    char *end;
    long number = strtol(port, &end, 10);

    errno = EINVAL;
    failed_call = port;
    if (end == port || *end || number < 0 || number > 65535)
        return -1;
    at.sin_port = htons((in_port_t)number);
    failed_call = "listen";
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
        listen(fd, SOMAXCONN) < 0) {
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

#define SLOTS 512

enum state { FREE, READING, WRITING };

static struct slot {
    enum state state;
    char *data;
    size_t len, at;
} slots[SLOTS];
static struct pollfd set[SLOTS];

static void drop(int i)
{
    close(set[i].fd);
    set[i] = (struct pollfd){.fd = -1};
    free(slots[i].data);
    memset(&slots[i], 0, sizeof slots[i]);
}

static int passing(void)
{
    return errno == EINTR || errno == EAGAIN;
}

static void on_readable(int i)
{
    static char page[65536];
    struct slot *s = &slots[i];
    ssize_t n = recv(set[i].fd, page, sizeof page, MSG_DONTWAIT);
    if (n < 0 && passing())
        return;
    if (n <= 0) {
        drop(i);
        return;
    }
    char *data = realloc(s->data, (size_t)n);
    if (!data) {
        perror("realloc");
        drop(i);
        return;
    }
    memcpy(data, page, (size_t)n);
    *s = (struct slot){WRITING, data, (size_t)n, 0};
    set[i].events = POLLOUT;
}

static void on_writable(int i)
{
    struct slot *s = &slots[i];
    ssize_t n = send(set[i].fd, s->data + s->at, s->len - s->at,
                     MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && passing())
        return;
    if (n < 0) {
        drop(i);
        return;
    }
    s->at += (size_t)n;
    if (s->at < s->len)
        return;
    free(s->data);
    *s = (struct slot){.state = READING};
    set[i].events = POLLIN;
}

static void (*const act[])(int) = {
    [READING] = on_readable, [WRITING] = on_writable};

static int take(int l)
{
    int size = 4096, fd = accept(l, NULL, NULL);
    if (fd < 0)
        return !passing() && errno != ECONNABORTED && errno != EPROTO;
    for (int i = 1; i < SLOTS; i++)
        if (slots[i].state == FREE) {
            if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) < 0)
                break;
            slots[i].state = READING;
            set[i] = (struct pollfd){fd, POLLIN, 0};
            return 0;
        }
    close(fd);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    int l = tcp_listen(argv[1]);
    if (l < 0) {
        net_report(argv[0]);
        return 1;
    }
    fcntl(l, F_SETFL, O_NONBLOCK);
    for (int i = 0; i < SLOTS; i++)
        set[i].fd = -1;
    for (int rest = 0;;) {
        set[0] = (struct pollfd){rest ? -1 : l, POLLIN, 0};
        int n = poll(set, SLOTS, rest ? 100 : -1);
        rest = 0;
        if (n < 0 && errno != EINTR) {
            perror("poll");
            usleep(100000);
        }
        if (n <= 0)
            continue;
        for (int i = 1; i < SLOTS; i++)
            if (set[i].fd >= 0 && set[i].revents)
                act[slots[i].state](i);
        if (set[0].revents)
            rest = take(l);
    }
}
