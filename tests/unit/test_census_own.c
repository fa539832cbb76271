/* test_census_own.c - what /proc shows that a process has: descriptors,
 * signals, timers, memory, time. */
#include "census_fixture.h"

#include "../../harness/census.h"

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>

static const struct census_fd *fd_of(const struct census_fd *fds, int count,
                                     int fd)
{
    for (int i = 0; i < count; i++)
        if (fds[i].fd == fd)
            return &fds[i];
    fail_msg("descriptor %d is not listed", fd);
    return NULL;
}

static void assert_kind(int fd, int kind)
{
    struct census_fd fds[64];
    int count = census_fds(getpid(), fds, 64);

    assert_int_equal(fd_of(fds, count, fd)->kind, kind);
}

static void descriptors_have_their_kinds(void **state)
{
    int file = open("/dev/null", O_RDONLY), epoll = epoll_create1(0);
    int tcp = socket(AF_INET, SOCK_STREAM, 0), both[2];

    (void)state;
    assert_int_equal(pipe(both), 0);
    assert_kind(file, CENSUS_FILE);
    assert_kind(epoll, CENSUS_ANON);
    assert_kind(tcp, CENSUS_SOCKET);
    assert_kind(both[0], CENSUS_PIPE);
    close(file);
    close(epoll);
    close(tcp);
    close(both[0]);
    close(both[1]);
}

static void one_file_more_may_be_kept_and_no_socket(void **state)
{
    struct census_held before = census_held(getpid());
    int file = open("/dev/null", O_RDONLY), tcp;

    (void)state;
    assert_false(census_holds_more(before, before));
    assert_false(census_holds_more(before, census_held(getpid())));
    close(file);
    tcp = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(census_holds_more(before, census_held(getpid())));
    close(tcp);
    file = open("/dev/null", O_RDONLY);
    int second = open("/dev/null", O_RDONLY);
    assert_true(census_holds_more(before, census_held(getpid())));
    close(file);
    close(second);
}

static void sockets_and_pipes_have_their_inodes(void **state)
{
    int tcp = socket(AF_INET, SOCK_STREAM, 0), both[2];
    struct census_fd fds[64];
    struct stat info;

    (void)state;
    assert_int_equal(pipe(both), 0);
    int count = census_fds(getpid(), fds, 64);
    fstat(tcp, &info);
    assert_int_equal(fd_of(fds, count, tcp)->inode, info.st_ino);
    fstat(both[1], &info);
    assert_int_equal(fd_of(fds, count, both[0])->inode, info.st_ino);
    close(tcp);
    close(both[0]);
    close(both[1]);
}

static void a_files_target_is_its_path(void **state)
{
    int file = open("/dev/null", O_RDONLY);
    struct census_fd fds[64];
    int count = census_fds(getpid(), fds, 64);

    (void)state;
    assert_string_equal(fd_of(fds, count, file)->target, "/dev/null");
    close(file);
}

static void descriptors_come_by_number(void **state)
{
    int high = fcntl(0, F_DUPFD, 200), low = fcntl(0, F_DUPFD, 100);
    struct census_fd fds[64];
    int count = census_fds(getpid(), fds, 64);

    (void)state;
    for (int i = 1; i < count; i++)
        assert_true(fds[i - 1].fd < fds[i].fd);
    close(high);
    close(low);
}

static void there_may_be_more_descriptors_than_room(void **state)
{
    struct census_fd fds[64], one[1];
    int all = census_fds(getpid(), fds, 64);

    (void)state;
    assert_true(all > 1);
    assert_int_equal(census_fds(getpid(), one, 1), all);
}

static uint64_t own_mask(void)
{
    uint64_t mask = 0;

    assert_int_equal(
        census_blocked(getpid(), (pid_t)syscall(SYS_gettid), &mask), 0);
    return mask;
}

static void blocked_signals_are_bits(void **state)
{
    const uint64_t bits = 1ull << (SIGUSR1 - 1) | 1ull << (SIGRTMAX - 1);
    sigset_t set;

    (void)state;
    assert_int_equal(own_mask() & bits, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMAX);
    sigprocmask(SIG_BLOCK, &set, NULL);
    assert_int_equal(own_mask() & bits, bits);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    assert_int_equal(own_mask() & bits, 0);
}

static void the_mask_of_a_thread_that_is_gone_is_not_told(void **state)
{
    uint64_t mask;

    (void)state;
    assert_int_equal(census_blocked(getpid(), 1, &mask), -1);
}

static void a_timerfd_is_a_timer_while_it_is_armed(void **state)
{
    const struct itimerspec hour = {.it_value = {3600, 0}}, none = {0},
                            soon = {.it_value = {0, 1}};
    uint64_t times;

    (void)state;
    assert_int_equal(census_timer(getpid()), CENSUS_TIMER_NONE);
    int timer = timerfd_create(CLOCK_MONOTONIC, 0);
    assert_int_equal(census_timer(getpid()), CENSUS_TIMER_NONE);
    assert_int_equal(timerfd_settime(timer, 0, &hour, NULL), 0);
    assert_int_equal(census_timer(getpid()), CENSUS_TIMER_ARMED);
    assert_int_equal(timerfd_settime(timer, 0, &none, NULL), 0);
    assert_int_equal(census_timer(getpid()), CENSUS_TIMER_NONE);
    assert_int_equal(timerfd_settime(timer, 0, &soon, NULL), 0);
    assert_int_equal(
        poll(&(struct pollfd){.fd = timer, .events = POLLIN}, 1, -1), 1);
    assert_int_equal(census_timer(getpid()), CENSUS_TIMER_FIRED);
    assert_int_equal(read(timer, &times, sizeof(times)), sizeof(times));
    assert_int_equal(census_timer(getpid()), CENSUS_TIMER_NONE);
    assert_int_equal(timerfd_settime(timer, 0, &hour, NULL), 0);
    close(timer);
    assert_int_equal(census_timer(getpid()), CENSUS_TIMER_NONE);
}

static void a_posix_timer_is_a_timer(void **state)
{
    struct sigevent none = {.sigev_notify = SIGEV_NONE};
    timer_t timer;

    (void)state;
    assert_int_equal(timer_create(CLOCK_MONOTONIC, &none, &timer), 0);
    assert_int_equal(census_timer(getpid()), CENSUS_TIMER_ARMED);
    timer_delete(timer);
    assert_int_equal(census_timer(getpid()), CENSUS_TIMER_NONE);
}

static void the_peak_of_memory_is_not_below_what_is_used(void **state)
{
    long now = census_memory_kib(getpid(), false);

    (void)state;
    assert_true(now > 0);
    assert_true(census_memory_kib(getpid(), true) >= now / 2);
}

static void memory_that_is_used_shows(void **state)
{
    const size_t size = 64u << 20;
    long before = census_memory_kib(getpid(), false);
    char *block = malloc(size);

    (void)state;
    assert_non_null(block);
    memset(block, 1, size);
    assert_true(census_memory_kib(getpid(), false) > before + 60000);
    free(block);
}

static void shared_memory_counts_as_used_too(void **state)
{
    const size_t size = 64u << 20;
    uint64_t own = census_own_bytes(getpid());
    uint64_t all = census_resident_bytes(getpid());
    void *block = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    (void)state;
    assert_ptr_not_equal(block, MAP_FAILED);
    assert_true(census_own_bytes(getpid()) >= own + size);
    assert_true(census_resident_bytes(getpid()) >= all + size / 2);
    munmap(block, size);
}

static void time_on_a_processor_shows(void **state)
{
    uint64_t before = census_cpu_ns(getpid());
    int looks = 0;

    (void)state;
    while (census_cpu_ns(getpid()) <= before && looks < UNIT_LOOKS)
        looks++;
    assert_true(looks < UNIT_LOOKS);
}

static void ignore(int signal)
{
    (void)signal;
}

static void catch_sigusr2(void)
{
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, ignore);
}

static void caught_signals_are_bits(void **state)
{
    struct child child = child_doing(catch_sigusr2);
    uint64_t set = 0;

    (void)state;
    assert_int_equal(census_caught(child.pid, &set), 0);
    assert_true(set & (UINT64_C(1) << (SIGUSR2 - 1)));
    assert_false(set & (UINT64_C(1) << (SIGUSR1 - 1)));
    release(child);
    assert_int_equal(census_caught(child.pid, &set), -1);
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_have_their_kinds),
        cmocka_unit_test(one_file_more_may_be_kept_and_no_socket),
        cmocka_unit_test(sockets_and_pipes_have_their_inodes),
        cmocka_unit_test(a_files_target_is_its_path),
        cmocka_unit_test(descriptors_come_by_number),
        cmocka_unit_test(there_may_be_more_descriptors_than_room),
        cmocka_unit_test(blocked_signals_are_bits),
        cmocka_unit_test(caught_signals_are_bits),
        cmocka_unit_test(the_mask_of_a_thread_that_is_gone_is_not_told),
        cmocka_unit_test(a_timerfd_is_a_timer_while_it_is_armed),
        cmocka_unit_test(a_posix_timer_is_a_timer),
        cmocka_unit_test(the_peak_of_memory_is_not_below_what_is_used),
        cmocka_unit_test(memory_that_is_used_shows),
        cmocka_unit_test(shared_memory_counts_as_used_too),
        cmocka_unit_test(time_on_a_processor_shows),
    };

    unit_begin();
    return cmocka_run_group_tests_name("census_own", tests, NULL, NULL) != 0;
}
