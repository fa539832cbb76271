/* rests.c - comes to rest, or does not, in the way that its argument says. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int both[2];
static char byte;
static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t two = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t semaphore;
static sigjmp_buf back;

static void read_pipe(void)
{
    (void)!read(both[0], &byte, 1);
}

static void spin(void)
{
    for (volatile unsigned long n = 0;; n++)
        continue;
}

/* Soon: long enough for some looks. */
#define SOON_MS 150

static struct timespec at_ms(int64_t ms)
{
    struct timespec at;

    clock_gettime(CLOCK_REALTIME, &at);
    ms += at.tv_nsec / 1000000;
    at.tv_sec += ms / 1000;
    at.tv_nsec = ms % 1000 * 1000000;
    return at;
}

static struct timespec far_off(void)
{
    return at_ms(1000000);
}

static void sleeps(void)
{
    sleep(1000);
}

static void polls(void)
{
    poll(&(struct pollfd){both[0], POLLIN, 0}, 1, -1);
}

static void polls_timed(void)
{
    poll(&(struct pollfd){both[0], POLLIN, 0}, 1, 1000000);
}

static void polls_soon(void)
{
    while (poll(&(struct pollfd){both[0], POLLIN, 0}, 1, SOON_MS) == 0)
        continue;
}

static void selects(void)
{
    select(0, NULL, NULL, NULL, NULL);
}

static void selects_timed(void)
{
    select(0, NULL, NULL, NULL, &(struct timeval){1000, 0});
}

static void pselects_timed(void)
{
    pselect(0, NULL, NULL, NULL, &(struct timespec){1000, 0}, NULL);
}

static void pselects(void)
{
    pselect(0, NULL, NULL, NULL, NULL, NULL);
}

static void epolls(void)
{
    struct epoll_event event;

    epoll_wait(epoll_create1(0), &event, 1, -1);
}

static void epolls_timed(void)
{
    struct epoll_event event;

    epoll_wait(epoll_create1(0), &event, 1, 1000000);
}

static void accepts(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    bind(fd, (struct sockaddr *)&at, sizeof(at));
    listen(fd, 1);
    accept(fd, NULL, NULL);
}

/* Nobody reads what it has written. */
static void lingers(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof(at);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    bind(listener, (struct sockaddr *)&at, sizeof(at));
    listen(listener, 1);
    getsockname(listener, (struct sockaddr *)&at, &len);
    connect(fd, (struct sockaddr *)&at, len);
    while (send(fd, &at, sizeof(at), MSG_DONTWAIT) > 0)
        continue;
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 1000},
               sizeof(struct linger));
    close(fd);
}

static void pauses(void)
{
    pause();
}

static sigset_t blocked_signal(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return set;
}

static void sigwaits(void)
{
    sigset_t set = blocked_signal();
    int signal;

    sigwait(&set, &signal);
}

static void jump(int signal)
{
    siglongjmp(back, signal);
}

static void sigwaits_after_jump(void)
{
    signal(SIGALRM, jump);
    if (sigsetjmp(back, 1) == 0)
        kill(getpid(), SIGALRM); /* it never returns */
    (void)!write(both[1], "x", 1);
    sigwaits();
}

static void sigwaitinfos(void)
{
    sigset_t set = blocked_signal();

    sigwaitinfo(&set, NULL);
}

static void sigwaits_timed(void)
{
    sigset_t set = blocked_signal();

    sigtimedwait(&set, NULL, &(struct timespec){1000, 0});
}

static void sigwaits_soon(void)
{
    sigset_t set;

    sigemptyset(&set);
    while (sigtimedwait(&set, NULL, &(struct timespec){0, SOON_MS * 1000000}) <
           0)
        continue;
}

/* Each holds what the other wants. */
static void *deadlock(void *arg)
{
    pthread_mutex_t *mine = arg ? &one : &two, *other = arg ? &two : &one;

    pthread_mutex_lock(mine);
    pthread_barrier_wait(&barrier);
    pthread_mutex_lock(other);
    return NULL;
}

static void deadlocks(void)
{
    pthread_t thread;

    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&thread, NULL, deadlock, NULL);
    deadlock(&one);
}

static void locks_itself(void)
{
    pthread_mutex_lock(&one);
    pthread_mutex_lock(&one);
}

static void lock(int signal)
{
    (void)signal;
    pthread_mutex_lock(&one);
}

static void handler_locks(void)
{
    signal(SIGALRM, lock);
    pthread_mutex_lock(&one);
    kill(getpid(), SIGALRM); /* it has not returned yet */
}

static void fork_locked(pthread_mutex_t *mutex)
{
    pthread_mutex_lock(mutex);
    if (fork() == 0)
        pthread_mutex_lock(mutex);
    else
        read_pipe();
}

static void lock_is_copied(void)
{
    fork_locked(&one);
}

static void lock_is_shared(void)
{
    pthread_mutex_t *mutex = mmap(NULL, sizeof(*mutex), PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t shared;

    pthread_mutexattr_init(&shared);
    pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(mutex, &shared);
    fork_locked(mutex);
}

static void *leave_locked(void *unused)
{
    pthread_mutex_lock(&one);
    (void)!write(both[1], "x", 1);
    return unused;
}

static void lock_is_left(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, leave_locked, NULL);
    pthread_join(thread, NULL);
    pthread_mutex_lock(&one);
}

static void conditions(void)
{
    pthread_mutex_lock(&one);
    pthread_cond_wait(&condition, &one);
}

static void conditions_timed(void)
{
    struct timespec at = far_off();

    pthread_mutex_lock(&one);
    pthread_cond_timedwait(&condition, &one, &at);
}

static void conditions_soon(void)
{
    struct timespec at;

    pthread_mutex_lock(&one);
    do
        at = at_ms(SOON_MS);
    while (pthread_cond_timedwait(&condition, &one, &at) != 0);
}

static void semaphores_timed(void)
{
    struct timespec at = far_off();

    sem_init(&semaphore, 0, 0);
    sem_timedwait(&semaphore, &at);
}

static void *routine(void *act)
{
    (*(void (**)(void))act)();
    return NULL;
}

static void beside(void (*act)(void))
{
    static void (*other)(void);
    pthread_t thread;

    other = act;
    pthread_create(&thread, NULL, routine, &other);
}

static void lock_is_left_beside_naps(void)
{
    beside(lock_is_left);
    sigwaits_soon();
}

static void joins(void)
{
    static void (*act)(void) = read_pipe;
    pthread_t thread;

    pthread_create(&thread, NULL, routine, &act);
    pthread_join(thread, NULL);
}

static void thread_sleeps(void)
{
    beside(sleeps);
    read_pipe();
}

static void thread_spins(void)
{
    beside(spin);
    read_pipe();
}

static void timerfd(void)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    unsigned long long times;

    timerfd_settime(fd, 0, &(struct itimerspec){{0, 0}, {1000, 0}}, NULL);
    (void)!read(fd, &times, sizeof(times));
}

static void alarms_far_off(void)
{
    alarm(1000);
    read_pipe();
}

static void alarms_soon(void)
{
    signal(SIGALRM, SIG_IGN);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 1000}}, NULL);
    read_pipe();
}

static void alarms_again(void)
{
    signal(SIGALRM, SIG_IGN);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 1000}, {0, 1000}}, NULL);
    read_pipe();
}

static void timed_socket(void)
{
    int pair[2];
    struct timeval most = {1000, 0};

    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
    (void)!read(pair[0], &byte, 1);
}

/* Such a socket gives other waits no time-out. */
static void beside_timed_socket(void (*act)(void))
{
    struct timeval most = {1000, 0};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
    act();
}

static void polls_timed_socket(void)
{
    beside_timed_socket(polls);
}

static void accepts_timed_socket(void)
{
    beside_timed_socket(accepts);
}

static void child(void (*act)(void))
{
    if (fork() == 0) {
        act();
        _exit(0);
    }
    read_pipe();
}

static void child_spins(void)
{
    child(spin);
}

static void child_sleeps(void)
{
    child(sleeps);
}

static void child_blocks(void)
{
    child(read_pipe);
}

/* It stops its parent: vfork(2). */
static void vfork_blocks(void)
{
    if (vfork() == 0) {
        read_pipe();
        _exit(0);
    }
    spin();
}

static void nothing(void)
{
}

static void child_is_zombie(void)
{
    child(nothing);
}

static void orphan_spins(void)
{
    if (fork() == 0) {
        setsid();
        if (fork() == 0)
            spin();
        _exit(0);
    }
    wait(NULL);
}

static const struct {
    const char *name;
    void (*act)(void);
} acts[] = {
    {"read", read_pipe},
    {"sleep", sleeps},
    {"spin", spin},
    {"poll", polls},
    {"poll-timed", polls_timed},
    {"poll-soon", polls_soon},
    {"select", selects},
    {"select-timed", selects_timed},
    {"pselect", pselects},
    {"pselect-timed", pselects_timed},
    {"epoll", epolls},
    {"epoll-timed", epolls_timed},
    {"accept", accepts},
    {"linger", lingers},
    {"pause", pauses},
    {"sigwait", sigwaits},
    {"sigwait-after-jump", sigwaits_after_jump},
    {"sigwaitinfo", sigwaitinfos},
    {"sigwait-timed", sigwaits_timed},
    {"sigwait-soon", sigwaits_soon},
    {"deadlock", deadlocks},
    {"locks-itself", locks_itself},
    {"handler-locks", handler_locks},
    {"lock-copied", lock_is_copied},
    {"lock-shared", lock_is_shared},
    {"lock-left", lock_is_left},
    {"lock-left-beside-naps", lock_is_left_beside_naps},
    {"condition", conditions},
    {"condition-timed", conditions_timed},
    {"condition-soon", conditions_soon},
    {"semaphore-timed", semaphores_timed},
    {"join", joins},
    {"thread-sleeps", thread_sleeps},
    {"thread-spins", thread_spins},
    {"timerfd", timerfd},
    {"alarm-far-off", alarms_far_off},
    {"alarm-soon", alarms_soon},
    {"alarm-again", alarms_again},
    {"timed-socket", timed_socket},
    {"poll-timed-socket", polls_timed_socket},
    {"accept-timed-socket", accepts_timed_socket},
    {"child-spins", child_spins},
    {"child-sleeps", child_sleeps},
    {"child-blocks", child_blocks},
    {"vfork-blocks", vfork_blocks},
    {"child-is-zombie", child_is_zombie},
    {"orphan-spins", orphan_spins},
    {"end", nothing},
};

int main(int argc, char **argv)
{
    if (pipe(both) < 0)
        return 98;
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
        if (argc == 2 && strcmp(argv[1], acts[i].name) == 0) {
            acts[i].act();
            return 0;
        }
    return 97;
}
