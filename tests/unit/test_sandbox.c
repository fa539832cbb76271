/* test_sandbox.c - what runs inside, and what is left of it. */
#include "unit.h"

#include "../../harness/census.h"
#include "../../harness/ports.h"
#include "../../harness/sandbox.h"

#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

static enum sandbox_kind best;
static int held[2]; /* whoever lives in the sandbox holds the write end */

static int find_best(void **state)
{
    (void)state;
    best = sandbox_best();
    return 0;
}

static int exits_with(void *arg)
{
    return *(int *)arg;
}

static int is_killed(void *arg)
{
    raise(*(int *)arg);
    return 0;
}

/* A signal that the kernel forces on it, as a wild pointer would. */
static int is_trapped(void *arg)
{
    (void)arg;
    signal(SIGILL, SIG_DFL);
    __builtin_trap();
}

static int status_in(enum sandbox_kind kind, int (*work)(void *), int arg)
{
    return sandbox_run(kind, work, &arg);
}

static void kinds_have_the_names_of_the_report(void **state)
{
    (void)state;
    assert_string_equal(sandbox_name(SANDBOX_NAMESPACES), "namespaces");
    assert_string_equal(sandbox_name(SANDBOX_UID), "uid");
    assert_string_equal(sandbox_name(SANDBOX_PLAIN), "plain");
}

static void exit_statuses_come_back(void **state)
{
    (void)state;
    assert_int_equal(status_in(SANDBOX_PLAIN, exits_with, 0), 0);
    assert_int_equal(status_in(SANDBOX_PLAIN, exits_with, 7), 7);
    assert_int_equal(status_in(best, exits_with, 0), 0);
    assert_int_equal(status_in(best, exits_with, 7), 7);
}

static void a_death_by_signal_comes_back_as_128_and_more(void **state)
{
    (void)state;
    assert_int_equal(status_in(SANDBOX_PLAIN, is_killed, SIGKILL),
                     128 + SIGKILL);
    assert_int_equal(status_in(SANDBOX_PLAIN, is_trapped, 0), 128 + SIGILL);
    assert_int_equal(status_in(best, is_trapped, 0), 128 + SIGILL);
}

static int talks_to_itself(void *arg)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int client = socket(AF_INET, SOCK_STREAM, 0);

    (void)arg;
    if (bind(listener, (struct sockaddr *)&at, len) < 0 ||
        listen(listener, 1) < 0 ||
        getsockname(listener, (struct sockaddr *)&at, &len) < 0 ||
        connect(client, (struct sockaddr *)&at, len) < 0)
        return 1;
    int served = accept(listener, NULL, NULL);
    char byte = 0;
    return write(client, "x", 1) == 1 && read(served, &byte, 1) == 1 &&
                   byte == 'x'
               ? 0
               : 2;
}

static void loopback_works_inside(void **state)
{
    (void)state;
    assert_int_equal(sandbox_run(SANDBOX_PLAIN, talks_to_itself, NULL), 0);
    assert_int_equal(sandbox_run(best, talks_to_itself, NULL), 0);
}

static int reads_proc(void *arg)
{
    struct census_fd fds[4];

    (void)arg;
    return census_fds(getpid(), fds, 4) > 0 && census_state(getpid()) == 'R'
               ? 0
               : 1;
}

static void proc_shows_the_processes_inside(void **state)
{
    (void)state;
    assert_int_equal(sandbox_run(SANDBOX_PLAIN, reads_proc, NULL), 0);
    assert_int_equal(sandbox_run(best, reads_proc, NULL), 0);
}

static void ignore_all(void)
{
    setsid();
    for (int n = 1; n < 32; n++)
        signal(n, SIG_IGN);
}

static void live_for_ever(void)
{
    if (write(held[1], "x", 1) == 1)
        for (;;)
            pause();
}

static int leaves_children(void *arg)
{
    char byte;

    (void)arg;
    if (fork() == 0)
        live_for_ever();
    if (fork() == 0) {
        ignore_all();
        live_for_ever();
    }
    if (fork() == 0) {
        ignore_all();
        if (fork() == 0)
            live_for_ever();
        _exit(0);
    }
    for (int child = 0; child < 3; child++)
        if (read(held[0], &byte, 1) != 1)
            return 1;
    return 0;
}

/* A pipe that nobody holds any more is at its end. */
static void assert_nothing_is_left(enum sandbox_kind kind)
{
    struct pollfd end = {.events = POLLIN};

    assert_int_equal(pipe(held), 0);
    assert_int_equal(sandbox_run(kind, leaves_children, NULL), 0);
    close(held[1]);
    end.fd = held[0];
    poll(&end, 1, 0);
    close(held[0]);
    if (!(end.revents & POLLHUP))
        fail_msg("%s: something lives on", sandbox_name(kind));
}

/* In the folders, as the submission: what may it do? */
static int confined(int (*try)(void))
{
    const struct sandbox_limits limits = {.file_bytes = 1 << 20};
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        sandbox_confine(&limits);
        _exit(try());
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

static int writes_where_it_may(void)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%.4000s/file", sandbox_scratch());
    if (open(path, O_WRONLY | O_CREAT, 0600) < 0)
        return 1;
    snprintf(path, sizeof(path), "%.4000s/file", sandbox_kit());
    return open(path, O_WRONLY | O_CREAT, 0600) < 0 ? 0 : 2;
}

static int keeps_to_its_folders(void *arg)
{
    char path[PATH_MAX];

    strcpy(arg, sandbox_scratch());
    if (sandbox_install("data", "text", 4, 0644, path, sizeof(path)) < 0)
        return 50;
    return confined(writes_where_it_may);
}

static void assert_folders_are_kept(enum sandbox_kind kind)
{
    char *scratch = mmap(NULL, PATH_MAX, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_int_equal(sandbox_run(kind, keeps_to_its_folders, scratch), 0);
    assert_true(scratch[0] == '/');
    assert_int_not_equal(access(scratch, F_OK), 0);
    munmap(scratch, PATH_MAX);
}

static void only_the_scratch_can_be_written_and_goes_with_it(void **state)
{
    (void)state;
    assert_folders_are_kept(best);
    if (sandbox_works(SANDBOX_UID))
        assert_folders_are_kept(SANDBOX_UID);
}

static int makes_namespaces(void)
{
    return unshare(CLONE_NEWUSER) < 0 && errno == EPERM ? 0 : 1;
}

static int is_confined(void *arg)
{
    (void)arg;
    return confined(makes_namespaces);
}

/* 77: there is no debug information of libc's on this machine, or no walls. */
static int has_names_of_libc(void *arg)
{
    (void)arg;
    sandbox_keep_names();
    int status =
        system("cd /usr/lib/debug/.build-id 2>/dev/null || exit 77\n"
               "grep -o '/usr/lib/debug/[^ ]*' /proc/self/mountinfo |"
               " (code=77; while read -r file; do\n"
               "    readelf -SW \"$file\" | grep -q debug_info && exit 1\n"
               "    nm \"$file\" | grep -q pthread_cond_wait && code=0\n"
               "done; exit $code)");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void of_libcs_debug_information_the_names_are_kept(void **state)
{
    int status = status_in(best, has_names_of_libc, 0);

    (void)state;
    if (status == 77)
        skip();
    assert_int_equal(status, 0);
}

static void some_calls_are_denied(void **state)
{
    (void)state;
    for (int kind = 0; kind < SANDBOX_KINDS; kind++)
        if (sandbox_works((enum sandbox_kind)kind))
            assert_int_equal(
                sandbox_run((enum sandbox_kind)kind, is_confined, NULL), 0);
}

static void what_cannot_be_had_says_why(void **state)
{
    (void)state;
    if (geteuid() == 0)
        skip();
    assert_int_equal(sandbox_run(SANDBOX_UID, exits_with, &held[0]), -1);
    assert_non_null(strstr(sandbox_trouble(), "only root"));
}

static void confine_and_wait(void)
{
    const struct sandbox_limits limits = {.cpu_s = 60};

    sandbox_confine(&limits);
    prctl(PR_SET_DUMPABLE, 1); /* as execve(2) would make it */
    live_for_ever();
}

/* Its own processes are counted, and ended at once; not by a child of ours,
 * whose siblings may be at work. */
static int ends_all(void *arg)
{
    int before = sandbox_live();
    char byte;

    (void)arg;
    for (int child = 0; child < 3; child++) {
        if (fork() == 0)
            confine_and_wait();
        if (read(held[0], &byte, 1) != 1)
            return 1;
    }
    pid_t other = fork();
    if (other == 0)
        _exit(sandbox_end_all() || sandbox_live() >= 0);
    int status = -1;
    waitpid(other, &status, 0);
    if (before < 0 || status != 0 || sandbox_live() != before + 3)
        return 2;
    if (!sandbox_end_all())
        return 3;
    while (waitpid(-1, NULL, 0) > 0)
        continue;
    return sandbox_live() == before ? 0 : 4;
}

static void what_runs_inside_is_counted_and_ended_at_once(void **state)
{
    (void)state;
    for (int kind = 0; kind < SANDBOX_PLAIN; kind++) {
        if (!sandbox_works((enum sandbox_kind)kind))
            continue;
        assert_int_equal(pipe(held), 0);
        assert_int_equal(sandbox_run((enum sandbox_kind)kind, ends_all, NULL),
                         0);
        close(held[0]);
        close(held[1]);
    }
}

static void the_best_sandbox_leaves_no_process(void **state)
{
    (void)state;
    assert_nothing_is_left(best);
}

static int end_what_is_left(void **state)
{
    struct census census;

    (void)state;
    census_take(&census, getpid(), 0);
    for (size_t i = 0; i < census.count; i++)
        kill(census.process[i].pid, SIGKILL);
    census_release(&census);
    while (waitpid(-1, NULL, 0) > 0)
        continue;
    return 0;
}

static void the_plain_sandbox_leaves_no_process(void **state)
{
    (void)state;
    assert_nothing_is_left(SANDBOX_PLAIN);
}

static int dies_and_leaves_children(void *arg)
{
    leaves_children(arg);
    raise(SIGKILL);
    return 0;
}

static void a_sandbox_that_dies_leaves_no_process(void **state)
{
    struct pollfd end = {.events = POLLIN};

    (void)state;
    assert_int_equal(pipe(held), 0);
    sandbox_run(SANDBOX_PLAIN, dies_and_leaves_children, NULL);
    close(held[1]);
    end.fd = held[0];
    poll(&end, 1, 0);
    close(held[0]);
    assert_true(end.revents & POLLHUP);
}

static void ephemeral_range(unsigned *low, unsigned *high)
{
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%u %u", low, high), 2);
    fclose(file);
}

static int listener_on(uint16_t port, uint32_t address)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(address)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static void a_port_lies_outside_the_ephemeral_range(void **state)
{
    unsigned low, high;

    (void)state;
    ephemeral_range(&low, &high);
    uint16_t next = (uint16_t)low;
    uint16_t port = sandbox_port(&next);
    assert_int_not_equal(port, 0);
    assert_true(port < low || port > high);
    assert_true(port >= 1024);
}

static void a_port_can_be_listened_on(void **state)
{
    uint16_t next = 12000;
    uint16_t port = sandbox_port(&next);

    (void)state;
    assert_true(port >= 12000);
    close(listener_on(port, INADDR_ANY));
}

static void the_next_port_is_another(void **state)
{
    uint16_t next = 12000;
    uint16_t first = sandbox_port(&next);

    (void)state;
    assert_true(next > first);
    assert_int_not_equal(sandbox_port(&next), first);
}

static void a_taken_port_is_passed_over(void **state)
{
    uint16_t next = 12000;
    uint16_t taken = sandbox_port(&next);
    int everywhere = listener_on(taken, INADDR_ANY);

    (void)state;
    next = taken;
    assert_int_not_equal(sandbox_port(&next), taken);
    close(everywhere);
    int loopback = listener_on(taken, INADDR_LOOPBACK);
    next = taken;
    assert_int_not_equal(sandbox_port(&next), taken);
    close(loopback);
}

/* Of two harnesses that look at the same moment, none gets the other's. */
static void ports_of_two_processes_are_of_different_blocks(void **state)
{
    uint16_t theirs, next = 12000;
    int told[2], leave[2];

    (void)state;
    assert_int_equal(pipe(told), 0);
    assert_int_equal(pipe(leave), 0);
    sandbox_port(&next);
    pid_t pid = fork();
    if (pid == 0) {
        close(leave[1]);
        next = ports_next_block(12000);
        theirs = sandbox_port(&next);
        if (write(told[1], &theirs, sizeof(theirs)) < 0)
            _exit(1);
        _exit(read(leave[0], &theirs, 1) == 0 ? 0 : 1);
    }
    close(leave[0]);
    assert_int_equal(read(told[0], &theirs, sizeof(theirs)), sizeof(theirs));
    next = theirs;
    assert_true(sandbox_port(&next) / 100 != theirs / 100);
    close(leave[1]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(told[0]);
    close(told[1]);
}

static void behind_the_last_port_comes_the_first(void **state)
{
    uint16_t next = 65535;

    (void)state;
    sandbox_port(&next);
    assert_int_not_equal(sandbox_port(&next), 0);
    assert_true(next >= 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_have_the_names_of_the_report),
        cmocka_unit_test(exit_statuses_come_back),
        cmocka_unit_test(a_death_by_signal_comes_back_as_128_and_more),
        cmocka_unit_test(loopback_works_inside),
        cmocka_unit_test(proc_shows_the_processes_inside),
        cmocka_unit_test(only_the_scratch_can_be_written_and_goes_with_it),
        cmocka_unit_test(of_libcs_debug_information_the_names_are_kept),
        cmocka_unit_test(some_calls_are_denied),
        cmocka_unit_test(what_cannot_be_had_says_why),
        cmocka_unit_test(what_runs_inside_is_counted_and_ended_at_once),
        cmocka_unit_test_teardown(the_best_sandbox_leaves_no_process,
                                  end_what_is_left),
        cmocka_unit_test_teardown(the_plain_sandbox_leaves_no_process,
                                  end_what_is_left),
        cmocka_unit_test_teardown(a_sandbox_that_dies_leaves_no_process,
                                  end_what_is_left),
        cmocka_unit_test(a_port_lies_outside_the_ephemeral_range),
        cmocka_unit_test(a_port_can_be_listened_on),
        cmocka_unit_test(the_next_port_is_another),
        cmocka_unit_test(a_taken_port_is_passed_over),
        cmocka_unit_test(ports_of_two_processes_are_of_different_blocks),
        cmocka_unit_test(behind_the_last_port_comes_the_first),
    };

    unit_begin();
    return cmocka_run_group_tests_name("sandbox", tests, find_best, NULL) != 0;
}
