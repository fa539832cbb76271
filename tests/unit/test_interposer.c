/* test_interposer.c - the library inside a real program.
 *
 * programs/script.c carries out words, and prints what each call gave;
 * programs/transparent.c says all that it can see of its calls.
 */
#include "unit.h"

#include "../../harness/fault.h"

#include <netdb.h>
#include <signal.h>
#include <sys/resource.h>

static char folder[PATH_MAX], path[PATH_MAX];
static struct program program;
static char output[32768];

/* ---- Running ---- */

static void prepare(const char *plan)
{
    const char *error;

    program_kill(&program);
    trace_reset(program.trace);
    program.trace->numbers_connects = 1;
    int count = fault_parse_plan(program.trace->fault, plan, &error);
    if (count < 0)
        fail_msg("%s: %s", plan, error);
    program.trace->fault_count = (uint32_t)count;
}

static void start(const char *words)
{
    const char *const argv[] = {"script", words, NULL};
    const struct program_start how = {
        .argv = argv, .descriptors = 256, .input = -1, .output = -1};

    assert_int_equal(program_run(&program, &how), 0);
}

static void begin(const char *plan, const char *words)
{
    prepare(plan);
    start(words);
}

static const char *finish(void)
{
    unit_await(&program);
    size_t len = unit_take(program.output, output, sizeof(output));
    while (len > 0 && output[len - 1] == ' ')
        output[--len] = '\0';
    return output;
}

static const char *run(const char *plan, const char *words)
{
    begin(plan, words);
    return finish();
}

static void assert_run(const char *plan, const char *words,
                       const char *expected)
{
    assert_string_equal(run(plan, words), expected);
}

static uint32_t fired(unsigned fault)
{
    return program.trace->fault[fault].fired;
}

static void await_held(unsigned fault)
{
    struct trace *trace = program.trace;

    for (int look = 0; look < UNIT_LOOKS; look++) {
        uint32_t seq = atomic_load(&trace->seq);

        if (atomic_load(&trace->fault[fault].held) > 0)
            return;
        trace_wait(trace, seq, 1000);
    }
    fail_msg("nobody comes to the gate");
}

static bool is_call(const struct trace_record *record, const void *call)
{
    return record->call == *(const enum call_id *)call;
}

static struct trace_record last(enum call_id call)
{
    struct trace_record record = {0};

    if (!trace_find_last(program.trace, is_call, &call, &record))
        fail_msg("%s() was not recorded", call_name(call));
    return record;
}

static int open_program(const char *name)
{
    unit_folder(folder);
    unit_build(name, folder, path);
    return program_open(&program, path, unit_interposer());
}

static int open_script(void **state)
{
    (void)state;
    return open_program("script");
}

static int open_transparent(void **state)
{
    (void)state;
    return open_program("transparent");
}

static int close_program(void **state)
{
    (void)state;
    program_close(&program);
    unit_remove(folder);
    return 0;
}

static int kill_run(void **state)
{
    (void)state;
    program_kill(&program);
    return 0;
}

/* ---- Nothing fails: nothing shows ---- */

/* The same program, as a shell would start it. Returns its status. */
static int run_plainly(const char *words, char *text, size_t size)
{
    int both[2], status;

    assert_int_equal(pipe2(both, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        const struct rlimit files = {256, 256};
        int null = open("/dev/null", O_RDWR);

        setrlimit(RLIMIT_NOFILE, &files);
        dup2(null, 0);
        dup2(both[1], 1);
        dup2(null, 2);
        close(null);
        execl(path, "script", words, (char *)NULL);
        _exit(127);
    }
    close(both[1]);
    unit_take(both[0], text, size);
    close(both[0]);
    waitpid(pid, &status, 0);
    return status;
}

static void assert_same(const char *plan, const char *words)
{
    static char plain[sizeof(output)];
    int status = run_plainly(words, plain, sizeof(plain));

    begin(plan, words);
    int with = unit_await(&program);
    unit_take(program.output, output, sizeof(output));
    assert_true(!WIFEXITED(status) || WEXITSTATUS(status) < 90);
    assert_string_equal(output, plain);
    assert_int_equal(with & ~0x80, status & ~0x80); /* core or not */
}

/* Planned for every family, and never due. */
#define NEVER                                                                  \
    "read#9999=EIO,write#9999=EIO,accept#9999=EIO,poll#9999=EIO,"              \
    "wait#9999=ECHILD,fork#9999=EAGAIN,malloc#9999=ENOMEM,close#9999=EIO,"     \
    "socket#9999=EMFILE,connect#9999=EIO,pthread_create#9999=EAGAIN"

static void assert_transparent(const char *act)
{
    assert_same(NULL, act);
    assert_same(NEVER, act);
}

#define TRANSPARENT(act, claim)                                                \
    static void claim(void **state)                                            \
    {                                                                          \
        (void)state;                                                           \
        assert_transparent(#act);                                              \
    }

TRANSPARENT(failing_calls, failing_calls_fail_as_ever)
TRANSPARENT(kept_errno, calls_that_succeed_leave_errno_alone)
TRANSPARENT(zero_lengths, lengths_of_0_stay_0)
TRANSPARENT(random_stream, the_programs_random_numbers_are_its_own)
TRANSPARENT(dispositions, dispositions_and_old_handlers_are_its_own)
TRANSPARENT(inherited_dispositions, children_inherit_handlers)
TRANSPARENT(masks, handlers_run_under_their_own_masks)
TRANSPARENT(processes, processes_know_each_other)
TRANSPARENT(jumps, handlers_may_be_left_by_siglongjmp)
TRANSPARENT(stdio, stdio_on_a_socket_works)
TRANSPARENT(threads, threads_are_created_joined_and_cancelled)
TRANSPARENT(descriptors, descriptors_are_duplicated)
TRANSPARENT(waits, waits_end_as_ever)
TRANSPARENT(addresses, names_resolve_as_ever)
TRANSPARENT(ends, exit_flushes_and_calls_what_was_registered)
TRANSPARENT(ends_at_once, underscore_exit_does_neither)
TRANSPARENT(dies_by_sigpipe, sigpipe_kills)
TRANSPARENT(aborts, abort_kills)

static void assert_as_ever(const char *words)
{
    assert_same(NULL, words);
    assert_same(NEVER, words);
}

static void a_signal_interrupts_as_ever(void **state)
{
    (void)state;
    assert_as_ever("conn handler:USR1 woken:read");
    assert_as_ever("conn handler:USR1 woken:recv");
    assert_as_ever("conn handler:USR1 woken:readv");
    assert_as_ever("listener handler:USR1 woken:accept");
    assert_as_ever("conn handler:USR1 woken:poll");
    assert_as_ever("handler:USR1 woken:select");
    assert_as_ever("handler:USR1 woken:nanosleep");
    assert_as_ever("handler:USR1 woken:sleep");
    assert_as_ever("handler:USR1 woken:pause");
}

static void a_signal_with_sa_restart_restarts_as_ever(void **state)
{
    (void)state;
    assert_as_ever("conn restarts:USR1 restarted:read");
    assert_as_ever("conn restarts:USR1 restarted:recv");
    assert_as_ever("conn restarts:USR1 restarted:readv");
    assert_as_ever("listener restarts:USR1 restarted:accept");
    assert_as_ever("conn restarts:USR1 restarted:wait");
}

static void some_calls_are_never_restarted(void **state)
{
    (void)state;
    assert_as_ever("conn restarts:USR1 woken:poll");
    assert_as_ever("restarts:USR1 woken:select");
    assert_as_ever("restarts:USR1 woken:nanosleep");
}

static void an_ignored_signal_interrupts_nothing(void **state)
{
    (void)state;
    assert_as_ever("conn ignore:USR1 restarted:read");
    assert_as_ever("conn block:USR1 handler:USR1 restarted:read");
}

static void bytes_go_both_ways_as_ever(void **state)
{
    (void)state;
    assert_as_ever("conn put:9 peek:9 read:2 recv:1 recvfrom:1 recvmsg:2 "
                   "readv:2 dontwait:9 dontwait:9 write:2 send:3 sendto:4 "
                   "sendmsg:5 writev:6 sendfile:7 dprintf:8 nosignal:9 take:44 "
                   "shutdown take:1 farclose");
    assert_as_ever("conn put:8 waitall:8 farclose read:5 read:5");
}

static void a_length_of_0_waits_for_nothing(void **state)
{
    (void)state;
    assert_as_ever("conn read:0 write:0");
    assert_run("read@conn1#1..=EIO,write@conn1#1..=EIO", "conn read:0 write:0",
               "read=0 write=0");
}

/* ---- Planned failures ---- */

static void a_planned_errno_comes_once(void **state)
{
    (void)state;
    assert_run("read@conn1#1=EIO", "conn put:5 read:5 read:5",
               "read=EIO read=5");
    assert_run("write@conn1#2=ENOBUFS", "conn write:5 write:5 write:5",
               "write=5 write=ENOBUFS write=5");
    assert_int_equal(fired(0), 1);
    assert_int_equal(program.trace->fault[0].seen, 3);
}

static void a_range_hits_its_calls_only(void **state)
{
    (void)state;
    assert_run("write@conn1#2..3=EIO", "conn write:1 write:1 write:1 write:1",
               "write=1 write=EIO write=EIO write=1");
    assert_run("write@conn1#2..=EIO", "conn write:1 write:1 write:1",
               "write=1 write=EIO write=EIO");
}

static void a_family_means_all_its_calls(void **state)
{
    (void)state;
    assert_run("read@conn1#1..6=EIO",
               "conn put:9 read:1 recv:1 recvfrom:1 recvmsg:2 readv:2 "
               "dontwait:1 read:9",
               "read=EIO recv=EIO recvfrom=EIO recvmsg=EIO readv=EIO "
               "dontwait=EIO read=9");
    assert_run("write@conn1#1..7=EIO",
               "conn write:1 send:1 sendto:1 sendmsg:2 writev:2 sendfile:1 "
               "dprintf:1 write:9",
               "write=EIO send=EIO sendto=EIO sendmsg=EIO writev=EIO "
               "sendfile=EIO dprintf=EIO write=9");
}

static void a_call_means_that_call_only(void **state)
{
    (void)state;
    assert_run("recv#1=EIO", "conn put:9 read:1 recv:1", "read=1 recv=EIO");
    assert_run("accept4#1=EPROTO", "conn client accept client accept4",
               "accept=0 accept4=EPROTO");
}

static void reads_are_short(void **state)
{
    (void)state;
    assert_run("read@conn1#1..5=short:2",
               "conn put:40 read:8 recv:8 recvfrom:8 recvmsg:8 readv:8 read:99",
               "read=2 recv=2 recvfrom=2 recvmsg=2 readv=2 read=30");
}

static void writes_are_short(void **state)
{
    (void)state;
    assert_run("write@conn1#1..6=short:3",
               "conn write:8 send:8 sendto:8 sendmsg:8 writev:8 sendfile:8 "
               "write:8 take:26",
               "write=3 send=3 sendto=3 sendmsg=3 writev=3 sendfile=3 write=8 "
               "take=26");
}

static void a_vector_is_cut_in_its_second_part(void **state)
{
    (void)state;
    assert_run("write@conn1#1..2=short:5", "conn writev:8 sendmsg:8 take:10",
               "writev=5 sendmsg=5 take=10");
    assert_run("read@conn1#1..2=short:5", "conn put:10 readv:8 recvmsg:8",
               "readv=5 recvmsg=5");
}

static void a_short_call_is_short_by_or_to_half(void **state)
{
    (void)state;
    assert_run("write@conn1#1=short:-3,write@conn1#2=short:half",
               "conn write:10 write:10", "write=7 write=5");
}

static void a_short_call_is_never_one_of_0(void **state)
{
    (void)state;
    assert_run("write@conn1#1=short:-9", "conn write:5", "write=1");
    assert_run("write@conn1#1=short:half", "conn write:2", "write=1");
}

static void a_short_read_is_short_of_what_has_come(void **state)
{
    (void)state;
    assert_run("read@conn1#1=short:half", "conn put:8 read:1000", "read=4");
    assert_run("read@conn1#1=short:-1", "conn put:8 read:1000", "read=7");
}

static void a_call_for_1_byte_cannot_be_short_and_does_not_count(void **state)
{
    (void)state;
    assert_run("write@conn1#1=short:1", "conn write:1 write:5",
               "write=1 write=1");
    assert_run("read@conn1#1=short:1", "conn put:9 read:1 read:5",
               "read=1 read=1");
}

static void a_call_that_waits_for_all_is_not_short(void **state)
{
    (void)state;
    assert_run("read@conn1#1=short:1", "conn put:8 waitall:4 read:4",
               "waitall=4 read=1");
}

static void dprintf_goes_on_after_a_short_write(void **state)
{
    (void)state;
    assert_run("write@conn1#1=short:1", "conn dprintf:8 take:8",
               "dprintf=8 take=8");
    assert_int_equal(fired(0), 1);
}

static void stdio_on_a_socket_is_seen_and_fails(void **state)
{
    (void)state;
    assert_run("write@conn1#1=EIO", "conn fdopen", "fdopen=EIO");
    assert_int_equal(program.trace->stdio_sockets, 1);
}

static void a_read_counts_only_with_something_to_read(void **state)
{
    (void)state;
    assert_run("read@conn1#1=EIO",
               "conn dontwait:5 nonblock read:5 put:5 read:5",
               "dontwait=EAGAIN read=EAGAIN read=EIO");
    assert_int_equal(program.trace->fault[0].seen, 1);
}

static void an_end_is_something_to_read(void **state)
{
    (void)state;
    assert_run("read@conn1#1=EIO", "conn farclose read:5 read:5",
               "read=EIO read=0");
}

static void an_accept_counts_only_with_a_client_waiting(void **state)
{
    (void)state;
    assert_run("accept#1=EPROTO",
               "listener nonblock-listener accept client accept accept",
               "accept=EAGAIN accept=EPROTO accept=0");
}

static void a_failing_accept_leaves_the_client_queued(void **state)
{
    (void)state;
    assert_run("accept#1..2=ENFILE", "listener client accept accept4 accept",
               "accept=ENFILE accept4=ENFILE accept=0");
    assert_int_equal(program.trace->accept_errors, 2);
    assert_int_equal(program.trace->accepted, 1);
}

static void a_dropped_client_is_gone(void **state)
{
    (void)state;
    assert_run("accept#1=drop",
               "listener client accept nonblock-listener accept client accept",
               "accept=ECONNABORTED accept=EAGAIN accept=0");
}

/* ---- Pipes that break ---- */

static void epipe_raises_sigpipe(void **state)
{
    (void)state;
    begin("write@conn1#1=EPIPE", "conn write:5");
    int status = unit_await(&program);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGPIPE);
}

static void every_way_of_writing_raises_it(void **state)
{
    (void)state;
    assert_run("write@conn1#1..=EPIPE",
               "handler:PIPE conn write:1 send:1 sendto:1 sendmsg:2 writev:2 "
               "sendfile:1 dprintf:1 handled",
               "write=EPIPE send=EPIPE sendto=EPIPE sendmsg=EPIPE writev=EPIPE "
               "sendfile=EPIPE dprintf=EPIPE handled=7");
}

static void epipe_does_not_signal_with_msg_nosignal(void **state)
{
    (void)state;
    assert_run("write@conn1#1=EPIPE", "handler:PIPE conn nosignal:5 handled",
               "nosignal=EPIPE handled=0");
}

static void epipe_is_told_where_sigpipe_is_ignored(void **state)
{
    (void)state;
    assert_run("write@conn1#1=EPIPE", "ignore:PIPE conn write:5 write:5",
               "write=EPIPE write=EPIPE");
    assert_run("write@conn1#1=EPIPE", "block:PIPE conn write:5", "write=EPIPE");
}

static void a_handler_of_sigpipe_cannot_change_the_error(void **state)
{
    (void)state;
    assert_run("write@conn1#1=EPIPE", "handler:PIPE does:spoil conn write:5",
               "write=EPIPE");
}

static void a_reset_breaks_the_connection_for_good(void **state)
{
    (void)state;
    assert_run("read@conn1#1=ECONNRESET",
               "conn put:5 read:5 read:5 read:5 nosignal:5 nosignal:5 take:1",
               "read=ECONNRESET read=0 read=0 nosignal=EPIPE nosignal=EPIPE "
               "take=0");
    assert_run("write@conn1#1=ECONNRESET", "conn write:5 nosignal:5 read:5",
               "write=ECONNRESET nosignal=EPIPE read=0");
}

static void a_time_out_breaks_the_connection_for_good(void **state)
{
    (void)state;
    assert_run("read@conn1#1=ETIMEDOUT", "conn put:5 read:5 read:5 nosignal:5",
               "read=ETIMEDOUT read=0 nosignal=EPIPE");
}

static void a_broken_connection_leaves_others_alone(void **state)
{
    (void)state;
    assert_run("read@conn1#1=ECONNRESET",
               "conn put:5 read:5 conn put:5 read:5 write:5",
               "read=ECONNRESET read=5 write=5");
}

/* ---- What costs a client ---- */

static void a_failing_close_closes(void **state)
{
    (void)state;
    assert_run("close@conn1#1=EIO", "conn close close",
               "close=EIO close=EBADF");
    assert_run("close@conn1#1=EINTR", "conn handler:USR1 close", "close=EINTR");
}

static void pthread_create_returns_its_error(void **state)
{
    (void)state;
    assert_run("pthread_create#1=EAGAIN", "thread thread",
               "thread=EAGAIN thread=0");
}

static void a_failing_fork_makes_no_child(void **state)
{
    (void)state;
    assert_run("fork#2=EAGAIN", "fork fork wait fork",
               "fork=0 fork=EAGAIN wait=ECHILD fork=0");
    assert_int_equal(program.trace->processes, 3);
}

static void malloc_fails_for_the_submission_only(void **state)
{
    (void)state;
    assert_run("malloc#1..=ENOMEM",
               "malloc:9 calloc:9 realloc:9 strdup getaddrinfo thread",
               "malloc=ENOMEM calloc=ENOMEM realloc=ENOMEM strdup=0 "
               "getaddrinfo=0 thread=0");
    assert_int_equal(fired(0), 3);
}

static void start_up_calls_fail(void **state)
{
    (void)state;
    assert_run("socket#1=EMFILE", "socket socket", "socket=EMFILE socket=0");
    assert_run("bind#1=EADDRINUSE", "conn",
               "listen failed: Address already in use\n");
    assert_run("listen#1=EADDRINUSE", "conn",
               "listen failed: Address already in use\n");
    assert_run("connect#1=ECONNREFUSED", "conn",
               "connect failed: Connection refused\n");
    assert_run("getaddrinfo#1=EAGAIN", "getaddrinfo getaddrinfo",
               "getaddrinfo=-2 getaddrinfo=0");
}

static void options_and_shutdown_fail(void **state)
{
    (void)state;
    assert_run("setsockopt@conn1#1=EINVAL,shutdown@conn1#1=ENOTCONN",
               "conn setsockopt setsockopt shutdown shutdown",
               "setsockopt=EINVAL setsockopt=0 shutdown=ENOTCONN shutdown=0");
}

/* ---- EINTR and EAGAIN ---- */

static void eintr_needs_a_handler(void **state)
{
    (void)state;
    assert_run("read@conn1#1=EINTR", "conn put:5 read:5", "read=5");
    assert_int_equal(fired(0), 0);
    assert_run("read@conn1#1=EINTR", "handler:USR1 conn put:5 read:5 read:5",
               "read=EINTR read=5");
    assert_int_equal(fired(0), 1);
}

static void eintr_comes_with_its_handler(void **state)
{
    (void)state;
    assert_run("read@conn1#1=EINTR", "handler:USR1 conn put:5 read:5 handled",
               "read=EINTR handled=1");
}

static void eintr_needs_a_handler_that_is_still_there(void **state)
{
    (void)state;
    assert_run("read@conn1#1=EINTR",
               "handler:USR1 default:USR1 conn put:5 read:5", "read=5");
    assert_run("read@conn1#1=EINTR", "ignore:CHLD conn put:5 read:5", "read=5");
}

static void a_handler_of_sigpipe_interrupts_nothing(void **state)
{
    (void)state;
    assert_run("read@conn1#1=EINTR", "handler:PIPE conn put:5 read:5",
               "read=5");
}

static void sa_restart_spares_what_is_restarted(void **state)
{
    (void)state;
    assert_run("read@conn1#1=EINTR,accept#2=EINTR,wait#1=EINTR",
               "restarts:USR1 conn put:5 read:5 client accept orphan wait",
               "read=5 accept=0 orphan=0 wait=1");
}

static void sa_restart_does_not_spare_a_poll(void **state)
{
    (void)state;
    assert_run("poll#1=EINTR", "restarts:USR1 conn poll:0 poll:0",
               "poll=EINTR poll=0");
}

static void a_blocked_signal_interrupts_nothing(void **state)
{
    (void)state;
    assert_run("read@conn1#1=EINTR",
               "handler:USR1 block:USR1 conn put:5 read:5", "read=5");
}

static void a_handler_is_not_interrupted_by_its_own_signal(void **state)
{
    (void)state;
    run("wait#1=EINTR", "handler:CHLD does:waitpid raise:CHLD");
    assert_int_equal(fired(0), 0);
}

static void a_call_that_does_not_wait_is_not_interrupted(void **state)
{
    (void)state;
    assert_run("wait#1=EINTR", "handler:USR1 wait-nohang",
               "wait-nohang=ECHILD");
    assert_run("read@conn1#1=EINTR", "handler:USR1 conn put:5 dontwait:5",
               "dontwait=5");
    assert_run("read@conn1#1=EINTR", "handler:USR1 conn nonblock put:5 read:5",
               "read=5");
    assert_run("write@conn1#1=EINTR", "handler:USR1 conn nonblock write:5",
               "write=5");
}

static void eagain_needs_a_descriptor_that_does_not_block(void **state)
{
    (void)state;
    assert_run("read@conn1#1=EAGAIN", "conn put:5 read:5", "read=5");
    assert_run("read@conn1#1=EAGAIN", "conn nonblock put:5 read:5 read:5",
               "read=EAGAIN read=5");
    assert_run("read@conn1#1=EAGAIN", "conn put:5 dontwait:5 dontwait:5",
               "dontwait=EAGAIN dontwait=5");
    assert_run("write@conn1#1=EAGAIN", "conn write:5 nonblock write:5 write:5",
               "write=5 write=EAGAIN write=5");
}

static void eagain_never_comes_edge_triggered(void **state)
{
    (void)state;
    assert_run("read@conn1#1=EAGAIN", "conn nonblock edge put:5 read:5",
               "read=5");
    assert_run("read@conn1#1=EAGAIN", "conn nonblock level put:5 read:5",
               "read=EAGAIN");
}

/* ---- Counting ---- */

static void counts_are_by_connection(void **state)
{
    (void)state;
    assert_run("write@conn2#1=EIO",
               "conn write:1 conn write:1 write:1 conn "
               "write:1",
               "write=1 write=EIO write=1 write=1");
}

static void connections_are_numbered_in_order(void **state)
{
    (void)state;
    run(NULL, "conn write:1 conn conn write:2");
    assert_int_equal(last(CALL_write).fd, 1); /* what it printed */
    assert_int_equal(last(CALL_accept).conn, 0);
    assert_int_equal(program.trace->connects, 3);
}

static void counts_are_shared_with_children(void **state)
{
    (void)state;
    assert_run("write@conn1#2=EIO,write@conn1#4=ENOSPC",
               "conn write:1 child write:1 end write:1 child write:1 end",
               "write=1 write=EIO write=1 write=ENOSPC");
}

static void two_faults_of_one_call_both_fire(void **state)
{
    (void)state;
    assert_run("write@conn1#1=short:2,write@conn1#2=EIO",
               "conn write:5 write:5 write:5", "write=2 write=EIO write=5");
}

static void every_fault_of_a_plan_counts_every_call(void **state)
{
    (void)state;
    assert_run("write@conn1#1=EIO,write@conn1#2=ENOSPC,write@conn1#3..=EIO",
               "conn write:1 write:1 write:1 write:1",
               "write=EIO write=ENOSPC write=EIO write=EIO");
}

/* ---- Gates and signals ---- */

static void hold_waits_before_the_call(void **state)
{
    (void)state;
    begin("accept#1=hold", "listener client accept");
    await_held(0);
    assert_int_equal(program.trace->accepted, 0);
    assert_false(program_ended(&program));
    trace_open_gate(program.trace, 0);
    assert_string_equal(finish(), "accept=0");
    assert_int_equal(program.trace->fault[0].held, 0);
}

static void hold_after_waits_behind_the_call(void **state)
{
    (void)state;
    begin("accept#1=hold-after", "listener client accept");
    await_held(0);
    assert_int_equal(program.trace->accepted, 1);
    assert_false(program_ended(&program));
    trace_open_gate(program.trace, 0);
    assert_string_equal(finish(), "accept=0");
}

static void hold_after_keeps_the_error(void **state)
{
    (void)state;
    begin("read@conn1#1=hold-after,read@conn1#1=EIO", "conn put:5 read:5");
    await_held(0);
    trace_open_gate(program.trace, 0);
    assert_string_equal(finish(), "read=EIO");
}

static void an_open_gate_holds_nobody(void **state)
{
    (void)state;
    begin("read@conn1#1..=hold", "conn put:5 read:1 read:1 read:1");
    await_held(0);
    trace_open_gate(program.trace, 0);
    assert_string_equal(finish(), "read=1 read=1 read=1");
    assert_int_equal(fired(0), 3);
}

static void who_is_held_can_be_told(void **state)
{
    (void)state;
    begin("read@conn1#1=hold", "conn put:5 read:5");
    await_held(0);
    struct trace_thread *thread = trace_thread_of(program.trace, program.pid);
    assert_non_null(thread);
    assert_int_equal(thread->held, 1);
    assert_int_equal(thread->call, CALL_read);
    assert_int_equal(thread->conn, 1);
    trace_open_gate(program.trace, 0);
    finish();
}

static void a_signal_comes_before_errno_is_looked_at(void **state)
{
    (void)state;
    assert_run("read@conn1#1=EIO+SIGUSR1",
               "handler:USR1 conn put:5 read:5 "
               "handled",
               "read=EIO handled=1");
    assert_run("read@conn1#1=EIO+SIGCHLD",
               "handler:CHLD does:spoil conn put:5 read:5 handled",
               "read=EXDEV handled=1");
}

/* ---- Handlers ---- */

static void calls_in_a_handler_are_marked(void **state)
{
    (void)state;
    run(NULL, "handler:USR1 does:waitpid raise:USR1 conn put:1 read:1");
    assert_true(last(CALL_waitpid).in_handler);
    assert_false(last(CALL_kill).in_handler);
    assert_false(last(CALL_read).in_handler);
}

static void a_handler_left_by_siglongjmp_is_left(void **state)
{
    (void)state;
    assert_run(NULL, "handler:USR1 does:longjmp raise:USR1 conn put:1 read:1",
               "jumped read=1");
    assert_false(last(CALL_read).in_handler);
}

static void injection_goes_on_after_a_jump_out_of_a_read(void **state)
{
    (void)state;
    assert_run("read@conn1#1=EIO",
               "conn handler:USR1 does:longjmp woken:read put:5 read:5 read:5",
               "jumped read=EIO read=5");
    assert_run("write@conn1#1=EIO",
               "conn handler:USR1 does:longjmp woken:read write:5 write:5",
               "jumped write=EIO write=5");
}

static void injection_goes_on_after_a_jump_out_of_a_write(void **state)
{
    (void)state;
    assert_run("write@conn1#1=EPIPE,write@conn2#1=EIO",
               "conn handler:PIPE does:longjmp write:5 conn write:5 write:5",
               "jumped write=EIO write=5");
}

static void unsafe_calls_in_a_handler_are_counted(void **state)
{
    (void)state;
    run(NULL, "handler:USR1 does:printf raise:USR1 raise:USR1");
    assert_int_equal(program.trace->unsafe, 2);
    assert_string_equal(last(CALL_unsafe).note, "printf");
    run(NULL, "handler:USR1 does:malloc raise:USR1");
    assert_int_equal(program.trace->unsafe, 2); /* and free */
    run(NULL, "handler:USR1 does:lock raise:USR1");
    assert_true(program.trace->unsafe >= 1);
}

static void unsafe_calls_elsewhere_are_none(void **state)
{
    (void)state;
    run(NULL, "handler:USR1 raise:USR1 conn malloc:5 fdopen thread");
    assert_int_equal(program.trace->unsafe, 0);
    run(NULL, "handler:USR1 does:longjmp raise:USR1 malloc:5 fdopen");
    assert_int_equal(program.trace->unsafe, 0);
}

static void safe_calls_in_a_handler_are_none(void **state)
{
    (void)state;
    run(NULL, "handler:CHLD does:waitpid orphan raise:CHLD");
    assert_int_equal(program.trace->unsafe, 0);
}

static void a_handler_of_the_own_writes_sigpipe_may_do_anything(void **state)
{
    (void)state;
    run("write@conn1#1=EPIPE", "handler:PIPE does:printf conn write:5");
    assert_int_equal(program.trace->unsafe, 0);
    run(NULL, "handler:PIPE does:printf conn shutdown write:5");
    assert_int_equal(program.trace->unsafe, 0);
    run("write@conn1#1=EPIPE",
        "handler:PIPE does:longjmp-after-printf conn write:5");
    assert_int_equal(program.trace->unsafe, 0);
}

static void a_sigpipe_from_elsewhere_is_asynchronous(void **state)
{
    (void)state;
    run(NULL, "handler:PIPE does:printf raise:PIPE");
    assert_int_equal(program.trace->unsafe, 1);
}

/* A jump out of the write's handler: what comes later is no longer its. */
static void a_sigpipe_after_a_jump_out_of_a_write_is_too(void **state)
{
    (void)state;
    run(NULL, "handler:PIPE does:longjmp conn shutdown write:5 does:printf "
              "raise:PIPE");
    assert_int_equal(program.trace->unsafe, 1);
}

/* ---- The record ---- */

static void callers_lie_in_the_programs_text(void **state)
{
    struct trace *trace = program.trace;

    (void)state;
    run(NULL, "conn put:5 recvmsg:5");
    struct trace_record record = last(CALL_recvmsg);
    assert_in_range(record.caller[0], trace->text_start, trace->text_end - 1);
    assert_in_range(record.caller[1], trace->text_start, trace->text_end - 1);
    assert_true(record.caller[0] != record.caller[1]);
    assert_true(trace->text_start >= trace->load_base);
}

static void a_record_tells_call_descriptor_and_result(void **state)
{
    (void)state;
    run("recv@conn1#1=EIO", "conn put:5 recv:5");
    struct trace_record record = last(CALL_recv);
    assert_int_equal(record.conn, 1);
    assert_true(record.fd > 2);
    assert_int_equal(record.arg[0], 5);
    assert_int_equal(record.result, -1);
    assert_int_equal(record.error, EIO);
    assert_int_equal(record.injected, FAULT_ERRNO);
    assert_int_equal(record.pid, program.pid);
    assert_true(record.returned > 0);
}

static void a_record_of_a_call_that_went_well_says_so(void **state)
{
    (void)state;
    run("read@conn1#9=EIO", "conn put:5 recv:5");
    struct trace_record record = last(CALL_recv);
    assert_int_equal(record.result, 5);
    assert_int_equal(record.error, 0);
    assert_int_equal(record.injected, FAULT_NOTHING);
}

static void time_outs_are_recorded(void **state)
{
    (void)state;
    run(NULL, "conn poll:1");
    assert_int_equal(last(CALL_poll).timeout_ms, 1);
    assert_int_equal(program.trace->paused_ms, 1);
}

static void names_of_the_play_resolve_as_it_says(void **state)
{
    struct trace_name *name = program.trace->name;

    (void)state;
    prepare(NULL);
    strcpy(name->host, "twice.test");
    strcpy(name->addr[0], "::1");
    strcpy(name->addr[1], "127.0.0.7");
    start("resolve:twice.test resolve:127.0.0.8");
    assert_string_equal(finish(), "::1 127.0.0.7 127.0.0.8");
    assert_string_equal(last(CALL_getaddrinfo).note, "127.0.0.8");
}

static void a_name_without_addresses_is_unknown(void **state)
{
    (void)state;
    prepare(NULL);
    strcpy(program.trace->name[0].host, "nowhere.test");
    start("resolve:nowhere.test");
    assert_string_equal(finish(), gai_strerror(EAI_NONAME));
}

static void counters_count_what_the_program_did(void **state)
{
    (void)state;
    run(NULL, "listener client accept fork");
    assert_int_equal(program.trace->listens, 1);
    assert_int_equal(program.trace->accepted, 1);
    assert_int_equal(program.trace->connects, 1);
    assert_int_equal(program.trace->processes, 2);
    assert_int_equal(program.trace->execs, 0);
}

#define RUN_TEST(name) cmocka_unit_test_teardown(name, kill_run)

int main(void)
{
    const struct CMUnitTest transparent[] = {
        RUN_TEST(failing_calls_fail_as_ever),
        RUN_TEST(calls_that_succeed_leave_errno_alone),
        RUN_TEST(lengths_of_0_stay_0),
        RUN_TEST(the_programs_random_numbers_are_its_own),
        RUN_TEST(dispositions_and_old_handlers_are_its_own),
        RUN_TEST(children_inherit_handlers),
        RUN_TEST(handlers_run_under_their_own_masks),
        RUN_TEST(processes_know_each_other),
        RUN_TEST(handlers_may_be_left_by_siglongjmp),
        RUN_TEST(stdio_on_a_socket_works),
        RUN_TEST(threads_are_created_joined_and_cancelled),
        RUN_TEST(descriptors_are_duplicated),
        RUN_TEST(waits_end_as_ever),
        RUN_TEST(names_resolve_as_ever),
        RUN_TEST(exit_flushes_and_calls_what_was_registered),
        RUN_TEST(underscore_exit_does_neither),
        RUN_TEST(sigpipe_kills),
        RUN_TEST(abort_kills),
    };
    const struct CMUnitTest script[] = {
        RUN_TEST(a_signal_interrupts_as_ever),
        RUN_TEST(a_signal_with_sa_restart_restarts_as_ever),
        RUN_TEST(some_calls_are_never_restarted),
        RUN_TEST(an_ignored_signal_interrupts_nothing),
        RUN_TEST(bytes_go_both_ways_as_ever),
        RUN_TEST(a_length_of_0_waits_for_nothing),
        RUN_TEST(a_planned_errno_comes_once),
        RUN_TEST(a_range_hits_its_calls_only),
        RUN_TEST(a_family_means_all_its_calls),
        RUN_TEST(a_call_means_that_call_only),
        RUN_TEST(reads_are_short),
        RUN_TEST(writes_are_short),
        RUN_TEST(a_vector_is_cut_in_its_second_part),
        RUN_TEST(a_short_call_is_short_by_or_to_half),
        RUN_TEST(a_short_call_is_never_one_of_0),
        RUN_TEST(a_short_read_is_short_of_what_has_come),
        RUN_TEST(a_call_for_1_byte_cannot_be_short_and_does_not_count),
        RUN_TEST(a_call_that_waits_for_all_is_not_short),
        RUN_TEST(dprintf_goes_on_after_a_short_write),
        RUN_TEST(stdio_on_a_socket_is_seen_and_fails),
        RUN_TEST(a_read_counts_only_with_something_to_read),
        RUN_TEST(an_end_is_something_to_read),
        RUN_TEST(an_accept_counts_only_with_a_client_waiting),
        RUN_TEST(a_failing_accept_leaves_the_client_queued),
        RUN_TEST(a_dropped_client_is_gone),
        RUN_TEST(epipe_raises_sigpipe),
        RUN_TEST(every_way_of_writing_raises_it),
        RUN_TEST(epipe_does_not_signal_with_msg_nosignal),
        RUN_TEST(epipe_is_told_where_sigpipe_is_ignored),
        RUN_TEST(a_handler_of_sigpipe_cannot_change_the_error),
        RUN_TEST(a_reset_breaks_the_connection_for_good),
        RUN_TEST(a_time_out_breaks_the_connection_for_good),
        RUN_TEST(a_broken_connection_leaves_others_alone),
        RUN_TEST(a_failing_close_closes),
        RUN_TEST(pthread_create_returns_its_error),
        RUN_TEST(a_failing_fork_makes_no_child),
        RUN_TEST(malloc_fails_for_the_submission_only),
        RUN_TEST(start_up_calls_fail),
        RUN_TEST(options_and_shutdown_fail),
        RUN_TEST(eintr_needs_a_handler),
        RUN_TEST(eintr_comes_with_its_handler),
        RUN_TEST(eintr_needs_a_handler_that_is_still_there),
        RUN_TEST(a_handler_of_sigpipe_interrupts_nothing),
        RUN_TEST(sa_restart_spares_what_is_restarted),
        RUN_TEST(sa_restart_does_not_spare_a_poll),
        RUN_TEST(a_blocked_signal_interrupts_nothing),
        RUN_TEST(a_handler_is_not_interrupted_by_its_own_signal),
        RUN_TEST(a_call_that_does_not_wait_is_not_interrupted),
        RUN_TEST(eagain_needs_a_descriptor_that_does_not_block),
        RUN_TEST(eagain_never_comes_edge_triggered),
        RUN_TEST(counts_are_by_connection),
        RUN_TEST(connections_are_numbered_in_order),
        RUN_TEST(counts_are_shared_with_children),
        RUN_TEST(two_faults_of_one_call_both_fire),
        RUN_TEST(every_fault_of_a_plan_counts_every_call),
        RUN_TEST(hold_waits_before_the_call),
        RUN_TEST(hold_after_waits_behind_the_call),
        RUN_TEST(hold_after_keeps_the_error),
        RUN_TEST(an_open_gate_holds_nobody),
        RUN_TEST(who_is_held_can_be_told),
        RUN_TEST(a_signal_comes_before_errno_is_looked_at),
        RUN_TEST(calls_in_a_handler_are_marked),
        RUN_TEST(a_handler_left_by_siglongjmp_is_left),
        RUN_TEST(injection_goes_on_after_a_jump_out_of_a_read),
        RUN_TEST(injection_goes_on_after_a_jump_out_of_a_write),
        RUN_TEST(unsafe_calls_in_a_handler_are_counted),
        RUN_TEST(unsafe_calls_elsewhere_are_none),
        RUN_TEST(safe_calls_in_a_handler_are_none),
        RUN_TEST(a_handler_of_the_own_writes_sigpipe_may_do_anything),
        RUN_TEST(a_sigpipe_from_elsewhere_is_asynchronous),
        RUN_TEST(a_sigpipe_after_a_jump_out_of_a_write_is_too),
        RUN_TEST(callers_lie_in_the_programs_text),
        RUN_TEST(a_record_tells_call_descriptor_and_result),
        RUN_TEST(a_record_of_a_call_that_went_well_says_so),
        RUN_TEST(time_outs_are_recorded),
        RUN_TEST(names_of_the_play_resolve_as_it_says),
        RUN_TEST(a_name_without_addresses_is_unknown),
        RUN_TEST(counters_count_what_the_program_did),
    };
    int failed;

    unit_begin();
    failed = cmocka_run_group_tests_name("transparent", transparent,
                                         open_transparent, close_program);
    failed += cmocka_run_group_tests_name("script", script, open_script,
                                          close_program);
    return failed != 0;
}
