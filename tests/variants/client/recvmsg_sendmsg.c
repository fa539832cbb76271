/* Right: recvmsg and sendmsg in two threads, atomic counts. */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_ullong sent, got;
static atomic_bool ended; /* set once sent is final */

static void fail(const char *what)
{
    fprintf(stderr, "client: %s: %s\n", what, strerror(errno));
    _exit(1);
}

/* getaddrinfo() takes 70000 for 4464. */
static int port_is_bad(const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);

    return *end == '\0' && (port < 1 || port > 65535);
}

/* Tries every address in the resolver's order; ends the run if none connects.
 */
static int connect_to(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list, *ai;
    int fd = -1, why = 0;
    int rc = getaddrinfo(host, port, &hints, &list);

    if (rc != 0) {
        fprintf(stderr, "client: %s: %s\n", host, gai_strerror(rc));
        exit(1);
    }
    for (ai = list; ai != NULL; ai = ai->ai_next) {
        fd = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
        if (fd >= 0 && connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
            break;
        why = errno;
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(list);
    if (fd < 0) {
        fprintf(stderr, "client: connect %s: %s\n", host, strerror(why));
        exit(1);
    }
    return fd;
}

static void *receiver(void *arg)
{
    int sock = *(int *)arg;
    char buf[3000];

    while (!ended || got < sent) {
        struct iovec part[2] = {{buf, 1000}, {buf + 1000, 2000}};
        struct msghdr msg = {.msg_iov = part, .msg_iovlen = 2};
        ssize_t n = recvmsg(sock, &msg, 0), done = 0, w;

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 && ended && got >= sent)
            break; /* stdin ended while we were reading */
        if (n < 0)
            fail("recvmsg");
        if (n == 0) {
            fprintf(stderr, "client: the server ended too early\n");
            _exit(1);
        }
        while (done < n) {
            w = write(STDOUT_FILENO, buf + done, (size_t)(n - done));
            if (w < 0 && errno != EINTR)
                fail("stdout");
            if (w > 0)
                done += w;
        }
        got += (unsigned long long)n;
    }
    _exit(0);
}

static void send_all(int sock, char *p, size_t len)
{
    while (len > 0) {
        struct iovec part[2] = {{p, len / 2}, {p + len / 2, len - len / 2}};
        struct msghdr msg = {.msg_iov = part, .msg_iovlen = 2};
        ssize_t n = sendmsg(sock, &msg, MSG_NOSIGNAL);

        if (n < 0 && errno != EINTR)
            fail("sendmsg");
        if (n > 0) {
            p += n;
            len -= (size_t)n;
            sent += (unsigned long long)n;
        }
    }
}

int main(int argc, char **argv)
{
    char buf[3000];
    pthread_t thread;
    int sock;
    ssize_t n;

    if (argc != 3) {
        fprintf(stderr, "usage: %s HOST PORT\n", argv[0]);
        return 2;
    }
    if (port_is_bad(argv[2])) {
        fprintf(stderr, "client: port %s: not in 1..65535\n", argv[2]);
        return 1;
    }
    sock = connect_to(argv[1], argv[2]);
    errno = pthread_create(&thread, NULL, receiver, &sock);
    if (errno != 0)
        fail("pthread_create");
    while ((n = read(STDIN_FILENO, buf, sizeof buf)) != 0) {
        if (n > 0)
            send_all(sock, buf, (size_t)n);
        else if (errno != EINTR)
            fail("stdin");
    }
    ended = true;
    if (got >= sent)
        return 0; /* the receiver may sleep in recvmsg: exit ends it */
    shutdown(sock, SHUT_WR); /* failing, the count decides */
    pthread_join(thread, NULL);
    return 0;
}
