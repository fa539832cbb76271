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
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOM 65536

static int listener = -1, near = -1, far = -1;
static char bytes[ROOM];
static long number; /* what follows the word's colon */
static volatile sig_atomic_t handled;
static sigjmp_buf back;
static const char *in_handler = "";
static const char *volatile empty = "";
static void *volatile allocated;

static void say(const char *format, ...)
{
    char text[512];
    va_list list;

    va_start(list, format);
    int len = vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    if (write(1, text, (size_t)len) < 0)
        _exit(99);
}

static void say_result(const char *word, long result)
{
    int error = errno;

    if (result == -1)
        say("%s=%s ", word, error ? strerrorname_np(error) : "-1");
    else
        say("%s=%ld ", word, result);
}

static void die(const char *what)
{
    say("%s failed: %s\n", what, strerror(errno));
    _exit(98);
}

/* ---- The connection ---- */

static void make_listener(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
        listen(listener, 16) < 0)
        die("listen");
}

static int connected(void)
{
    struct sockaddr_in at;
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (listener < 0)
        make_listener();
    getsockname(listener, (struct sockaddr *)&at, &len);
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
        die("connect");
    return fd;
}

static void make_connection(void)
{
    near = connected();
    far = accept(listener, NULL, NULL);
    if (far < 0)
        die("accept");
}

/* Far sends; when it returns, all of it has come. */
static void put(long n)
{
    int there = 0;

    if (write(far, bytes, (size_t)n) != n)
        die("put");
    while (ioctl(near, FIONREAD, &there) == 0 && there < n)
        sched_yield();
}

static void take(long n)
{
    long got = 0, r = 1;

    while (got < n && (r = read(far, bytes, (size_t)(n - got))) > 0)
        got += r;
    say_result("take", r < 0 ? -1 : got);
}

/* ---- Signals ---- */

static int signal_of(const char *name)
{
    for (int n = 1; n < 32; n++)
        if (strcmp(sigabbrev_np(n), name) == 0)
            return n;
    die(name);
    return 0;
}

static void on_signal(int signal)
{
    int error = errno;

    handled++;
    if (strcmp(in_handler, "printf") == 0)
        printf("%s", empty);
    else if (strcmp(in_handler, "malloc") == 0)
        free(allocated = malloc(10));
    else if (strcmp(in_handler, "lock") == 0) {
        static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

        pthread_mutex_lock(&mutex);
        pthread_mutex_unlock(&mutex);
    } else if (strcmp(in_handler, "waitpid") == 0)
        waitpid(-1, NULL, WNOHANG);
    else if (strcmp(in_handler, "longjmp") == 0)
        siglongjmp(back, signal);
    else if (strcmp(in_handler, "longjmp-after-printf") == 0) {
        printf("%s", empty);
        siglongjmp(back, signal);
    }
    errno = error;
    if (strcmp(in_handler, "spoil") == 0)
        errno = EXDEV;
}

static void install(const char *name, int flags)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};

    if (sigaction(signal_of(name), &action, NULL) < 0)
        die("sigaction");
}

static void block(const char *name, int how)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, signal_of(name));
    pthread_sigmask(how, &set, NULL);
}

static void serve(void)
{
    if (far >= 0 && write(far, bytes, 3) != 3)
        die("serve");
    else if (far < 0)
        connected();
}

/* A child that signals us once we are asleep in a call; with `then`, what
 * the call waits for comes afterwards. */
static pid_t wake_when_asleep(bool then)
{
    pid_t parent = getpid(), pid = fork();
    char path[64], stat[512];

    if (pid != 0)
        return pid;
    snprintf(path, sizeof(path), "/proc/%d/stat", parent);
    for (;;) {
        int fd = open(path, O_RDONLY);
        ssize_t n = read(fd, stat, sizeof(stat) - 1);

        close(fd);
        stat[n > 0 ? n : 0] = '\0';
        char *end = strrchr(stat, ')');
        if (end && end[2] == 'S')
            break;
    }
    kill(parent, SIGUSR1);
    if (then)
        serve();
    _exit(0);
}

static long sleep_in(const char *name)
{
    errno = 0;
    if (strcmp(name, "read") == 0)
        return read(near, bytes, 10);
    if (strcmp(name, "recv") == 0)
        return recv(near, bytes, 10, 0);
    if (strcmp(name, "readv") == 0)
        return readv(near, &(struct iovec){bytes, 10}, 1);
    if (strcmp(name, "accept") == 0)
        return accept(listener, NULL, NULL) < 0 ? -1 : 0;
    if (strcmp(name, "poll") == 0)
        return poll(&(struct pollfd){near, POLLIN, 0}, 1, -1);
    if (strcmp(name, "select") == 0)
        return select(0, NULL, NULL, NULL, NULL);
    if (strcmp(name, "nanosleep") == 0)
        return nanosleep(&(struct timespec){1000, 0}, NULL);
    if (strcmp(name, "sleep") == 0)
        return sleep(1000) > 0;
    if (strcmp(name, "wait") == 0)
        return waitpid(-1, NULL, 0) < 0 ? -1 : 0;
    return pause();
}

static void woken(const char *name, bool then)
{
    pid_t child = wake_when_asleep(then);

    say_result(name, sleep_in(name));
    say("handled=%d ", (int)handled);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
}

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

static long do_sendfile(long n)
{
    int file = memfd_create("file", 0);

    if (ftruncate(file, n) < 0)
        die("ftruncate");
    long result = sendfile(near, file, NULL, (size_t)n);
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
    else if (strcmp(word, "nonblock") == 0)
        fcntl(near, F_SETFL, FLAGS_OF(near) | O_NONBLOCK);
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

static long call(const char *word)
{
    size_t n = (size_t)number;

    errno = 0;
    if (strcmp(word, "read") == 0)
        return read(near, bytes, n);
    if (strcmp(word, "recv") == 0)
        return recv(near, bytes, n, 0);
    if (strcmp(word, "recvfrom") == 0)
        return recvfrom(near, bytes, n, 0, NULL, NULL);
    if (strcmp(word, "recvmsg") == 0)
        return do_recvmsg(number);
    if (strcmp(word, "readv") == 0)
        return readv(near, halves(number), 2);
    if (strcmp(word, "waitall") == 0)
        return recv(near, bytes, n, MSG_WAITALL);
    if (strcmp(word, "peek") == 0)
        return recv(near, bytes, n, MSG_PEEK);
    if (strcmp(word, "dontwait") == 0)
        return recv(near, bytes, n, MSG_DONTWAIT);
    if (strcmp(word, "write") == 0)
        return write(near, bytes, n);
    if (strcmp(word, "send") == 0)
        return send(near, bytes, n, 0);
    if (strcmp(word, "nosignal") == 0)
        return send(near, bytes, n, MSG_NOSIGNAL);
    if (strcmp(word, "sendto") == 0)
        return sendto(near, bytes, n, 0, NULL, 0);
    if (strcmp(word, "sendmsg") == 0)
        return do_sendmsg(number);
    if (strcmp(word, "writev") == 0)
        return writev(near, halves(number), 2);
    if (strcmp(word, "sendfile") == 0)
        return do_sendfile(number);
    if (strcmp(word, "dprintf") == 0)
        return dprintf(near, "%0*d", (int)number, 0);
    if (strcmp(word, "fdopen") == 0)
        return do_fdopen();
    if (strcmp(word, "shutdown") == 0)
        return shutdown(near, SHUT_WR);
    if (strcmp(word, "setsockopt") == 0)
        return setsockopt(near, SOL_SOCKET, SO_KEEPALIVE, &(int){1},
                          sizeof(int));
    if (strcmp(word, "close") == 0)
        return do_close();
    if (strcmp(word, "accept") == 0)
        return do_accept(false);
    if (strcmp(word, "accept4") == 0)
        return do_accept(true);
    if (strcmp(word, "fork") == 0)
        return do_fork();
    if (strcmp(word, "wait") == 0)
        return do_wait(0);
    if (strcmp(word, "wait-nohang") == 0)
        return do_wait(WNOHANG);
    if (strcmp(word, "orphan") == 0)
        return fork() == 0 ? (_exit(0), 0) : 0;
    if (strcmp(word, "thread") == 0)
        return do_thread();
    if (strcmp(word, "malloc") == 0)
        return do_alloc(malloc(n));
    if (strcmp(word, "calloc") == 0)
        return do_alloc(calloc(1, n));
    if (strcmp(word, "realloc") == 0)
        return do_alloc(realloc(NULL, n));
    if (strcmp(word, "strdup") == 0)
        return do_alloc(strdup("libc's own"));
    if (strcmp(word, "getaddrinfo") == 0)
        return do_getaddrinfo();
    if (strcmp(word, "poll") == 0)
        return poll(&(struct pollfd){near, POLLIN, 0}, 1, (int)number);
    if (strcmp(word, "socket") == 0)
        return socket(AF_INET, SOCK_STREAM, 0) < 0 ? -1 : 0;
    if (strcmp(word, "handled") == 0)
        return handled;
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
    if (argc != 2)
        return 97;
    carry_out(argv[1]);
    return 0;
}
