/* script.c - carries out the words of its argument, one call each, and
 * prints what came of each: "read:5" prints "read=5" or "read=EINTR".
 *
 * Calls that name no descriptor are made on the current connection: `conn`
 * connects the program to itself over loopback; `near` is the end that
 * connected, and has a number; the calls are made on it. `far` is the other
 * end; what is done there is done without the wrapped names' help, as far
 * as numbers go: it has none.
 */
#define _GNU_SOURCE
#include "script_connection.h"
#include "script_signals.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <threads.h>

static long number; /* what follows the word's colon */

/* ---- Calls on the connection ---- */

static struct iovec *halves(long n)
{
    static struct iovec two[2];

    two[0] = (struct iovec){bytes, (size_t)(n / 2)};
    two[1] = (struct iovec){bytes + n / 2, (size_t)(n - n / 2)};
    return two;
}

static long do_recvmsg(long n)
{
    struct msghdr msg = {.msg_iov = halves(n), .msg_iovlen = 2};
    long result = recvmsg(near, &msg, 0);

    if (msg.msg_iovlen != 2 || msg.msg_iov != halves(n))
        die("the caller's msghdr was changed by recvmsg");
    return result;
}

static long do_sendmsg(long n)
{
    struct msghdr msg = {.msg_iov = halves(n), .msg_iovlen = 2};
    long result = sendmsg(near, &msg, 0);

    if (msg.msg_iovlen != 2)
        die("the caller's msghdr was changed by sendmsg");
    return result;
}

static long do_sendfile(long n, ssize_t (*call)(int, int, off_t *, size_t))
{
    int file = memfd_create("file", 0);

    if (ftruncate(file, n) < 0)
        die("ftruncate");
    long result = call(near, file, NULL, (size_t)n);
    int error = errno;
    close(file);
    errno = error;
    return result;
}

static void *nothing(void *arg)
{
    return arg;
}

static long do_thread(void)
{
    pthread_t thread;
    long result;

    errno = 0;
    result = pthread_create(&thread, NULL, nothing, NULL);
    if (result == 0)
        pthread_join(thread, NULL);
    if (errno != 0)
        die("errno was changed by pthread_create");
    errno = (int)result;
    return result ? -1 : 0;
}

static int c11_nothing(void *arg)
{
    (void)arg;
    return 3;
}

static long do_c11_thread(void)
{
    thrd_t thread;
    int result, value = 0;

    errno = 0;
    result = thrd_create(&thread, c11_nothing, NULL);
    if (result == thrd_success &&
        (thrd_join(thread, &value) != thrd_success || value != 3))
        die("a C11 thread's value got lost");
    if (errno != 0)
        die("errno was changed by thrd_create");
    return result == thrd_success ? 0 : result == thrd_nomem ? -12 : -11;
}

static long do_fork(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    if (pid > 0)
        return waitpid(pid, NULL, 0) == pid ? 0 : -2;
    return -1;
}

static long do_wait(int options)
{
    return waitpid(-1, NULL, options) < 0 ? -1 : 1;
}

/* Through a volatile: clang leaves out what is freed unused. */
static long do_alloc(void *allocated)
{
    void *volatile block = allocated;
    int error = errno;

    free(block);
    errno = error;
    return block ? 0 : -1;
}

static long do_close(void)
{
    long result = close(near);
    int error = errno;

    if (fcntl(near, F_GETFD) >= 0)
        die("close left the descriptor open");
    errno = error;
    return result;
}

static long do_epoll(unsigned flags)
{
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN | flags};

    return epoll_ctl(epoll, EPOLL_CTL_ADD, near, &event);
}

static long do_accept(bool four)
{
    int fd = four ? accept4(listener, NULL, NULL, SOCK_CLOEXEC)
                  : accept(listener, NULL, NULL);

    return fd < 0 ? -1 : 0;
}

static long do_getaddrinfo(void)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST}, *list;
    int error = getaddrinfo("127.0.0.1", "80", &hints, &list);

    if (error == 0)
        freeaddrinfo(list);
    return error ? -2 : 0;
}

static void resolve(const char *host)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    char text[64];
    int error = getaddrinfo(host, "80", &hints, &list);

    if (error)
        say("%s ", gai_strerror(error));
    for (struct addrinfo *at = error ? NULL : list; at; at = at->ai_next) {
        getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof(text), NULL, 0,
                    NI_NUMERICHOST);
        say("%s ", text);
    }
    if (!error)
        freeaddrinfo(list);
}

static long do_fdopen(void)
{
    FILE *stream = fdopen(dup(near), "w");
    long result = fprintf(stream, "%04d", 7);

    return fclose(stream) == 0 ? result : -1;
}

/* ---- Words ---- */

#define FLAGS_OF(fd) fcntl(fd, F_GETFL)

/* socket(7): reads of the connection end with EAGAIN after so long. */
static void limit_reads(long ms)
{
    struct timeval most = {ms / 1000, ms % 1000 * 1000};

    setsockopt(near, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
}

/* Acts that print nothing. Returns whether it was one. */
static bool act(const char *word, const char *text)
{
    if (strcmp(word, "conn") == 0)
        make_connection();
    else if (strcmp(word, "client") == 0)
        connected();
    else if (strcmp(word, "put") == 0)
        put(number);
    else if (strcmp(word, "farclose") == 0)
        close(far);
    else if (strcmp(word, "limit") == 0)
        limit_reads(number);
    else if (strcmp(word, "nonblock") == 0)
        fcntl(near, F_SETFL, FLAGS_OF(near) | O_NONBLOCK);
    else if (strcmp(word, "async") == 0)
        fcntl(near, F_SETFL, FLAGS_OF(near) | O_ASYNC);
    else if (strcmp(word, "nonblock-listener") == 0)
        fcntl(listener, F_SETFL, FLAGS_OF(listener) | O_NONBLOCK);
    else if (strcmp(word, "edge") == 0)
        do_epoll(EPOLLET);
    else if (strcmp(word, "level") == 0)
        do_epoll(0);
    else if (strcmp(word, "handler") == 0)
        install(text, 0);
    else if (strcmp(word, "restarts") == 0)
        install(text, SA_RESTART);
    else if (strcmp(word, "once") == 0)
        install(text, (int)SA_RESETHAND);
    else if (strcmp(word, "on-stack") == 0)
        install_on_stack(text);
    else if (strcmp(word, "ignore") == 0)
        signal(signal_of(text), SIG_IGN);
    else if (strcmp(word, "default") == 0)
        signal(signal_of(text), SIG_DFL);
    else if (strcmp(word, "does") == 0)
        in_handler = text;
    else if (strcmp(word, "raise") == 0)
        kill(getpid(), signal_of(text));
    else if (strcmp(word, "block") == 0)
        block(text, SIG_BLOCK);
    else if (strcmp(word, "woken") == 0)
        woken(text, false);
    else if (strcmp(word, "restarted") == 0)
        woken(text, true);
    else if (strcmp(word, "resolve") == 0)
        resolve(text);
    else if (strcmp(word, "listener") == 0)
        make_listener();
    else
        return false;
    return true;
}

static long waiting(void)
{
    int count = 0;

    return ioctl(near, FIONREAD, &count) < 0 ? -1 : count;
}

static long buffer(int option)
{
    int size = 0;

    return getsockopt(near, SOL_SOCKET, option, &size, &(socklen_t){4}) < 0
               ? -1
               : size;
}

/* A table of so many entries, of which the first alone is in use. */
static long poll_table(long entries)
{
    static struct pollfd table[4096];

    for (long i = 0; i < entries; i++)
        table[i] = (struct pollfd){.fd = -1, .revents = POLLIN};
    table[0] = (struct pollfd){near, POLLIN, 0};
    long result = poll(table, (nfds_t)entries, 1);
    return result >= 0 && table[entries - 1].revents ? -1 : result;
}

static long call(const char *word)
{
    size_t n = (size_t)number;

    errno = 0;
    WORD("read", read(near, bytes, n));
    WORD("recv", recv(near, bytes, n, 0));
    WORD("recvfrom", recvfrom(near, bytes, n, 0, NULL, NULL));
    WORD("recvmsg", do_recvmsg(number));
    WORD("readv", readv(near, halves(number), 2));
    WORD("waitall", recv(near, bytes, n, MSG_WAITALL));
    WORD("peek", recv(near, bytes, n, MSG_PEEK));
    WORD("waiting", waiting());
    WORD("dontwait", recv(near, bytes, n, MSG_DONTWAIT));
    WORD("write", write(near, bytes, n));
    WORD("send", send(near, bytes, n, 0));
    WORD("nosignal", send(near, bytes, n, MSG_NOSIGNAL));
    WORD("sendto", sendto(near, bytes, n, 0, NULL, 0));
    WORD("sendmsg", do_sendmsg(number));
    WORD("writev", writev(near, halves(number), 2));
    WORD("sendfile", do_sendfile(number, sendfile));
    WORD("sendfile64", do_sendfile(number, sendfile64));
    WORD("dprintf", dprintf(near, "%0*d", (int)number, 0));
    WORD("fdopen", do_fdopen());
    WORD("shutdown", shutdown(near, SHUT_WR));
    WORD("setsockopt",
         setsockopt(near, SOL_SOCKET, SO_KEEPALIVE, &(int){1}, sizeof(int)));
    WORD("close", do_close());
    WORD("accept", do_accept(false));
    WORD("accept4", do_accept(true));
    WORD("fork", do_fork());
    WORD("wait", do_wait(0));
    WORD("wait-nohang", do_wait(WNOHANG));
    WORD("orphan", fork() == 0 ? (_exit(0), 0) : 0);
    WORD("thread", do_thread());
    WORD("c11-thread", do_c11_thread());
    WORD("malloc", do_alloc(malloc(n)));
    WORD("calloc", do_alloc(calloc(1, n)));
    WORD("realloc", do_alloc(realloc(NULL, n)));
    WORD("strdup", do_alloc(strdup("libc's own")));
    WORD("getaddrinfo", do_getaddrinfo());
    WORD("poll", poll(&(struct pollfd){near, POLLIN, 0}, 1, (int)number));
    WORD("poll-table", poll_table(number));
    WORD("usleep", usleep((useconds_t)number * 1000));
    WORD("sndbuf", buffer(SO_SNDBUF));
    WORD("rcvbuf", buffer(SO_RCVBUF));
    WORD("socket", socket(AF_INET, SOCK_STREAM, 0) < 0 ? -1 : 0);
    WORD("handled", handled);
    die(word);
    return 0;
}

static void carry_out(char *script);

/* `child ... end` is done by a child; we wait for it. */
static char *in_child(char *rest)
{
    char *end = strstr(rest, " end");
    char *after = end ? end + 4 : rest + strlen(rest);
    pid_t pid = fork();

    if (pid == 0) {
        if (end)
            *end = '\0';
        carry_out(rest);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    return after;
}

static void carry_out(char *script)
{
    char *volatile at = script;

    if (sigsetjmp(back, 1) != 0)
        say("jumped ");
    while (*at) {
        char *word = at, *text;

        while (*word == ' ')
            word++;
        at = word + strcspn(word, " ");
        if (*at)
            *at++ = '\0';
        text = word + strcspn(word, ":");
        if (*text)
            *text++ = '\0';
        number = strtol(text, NULL, 10);
        if (strcmp(word, "child") == 0)
            at = in_child(at);
        else if (strcmp(word, "take") == 0)
            take(number);
        else if (*word && !act(word, text))
            say_result(word, call(word));
    }
}

int main(int argc, char **argv)
{
    char room[STACK];

    if (argc != 2)
        return 97;
    upper_stack = room;
    carry_out(argv[1]);
    return 0;
}
