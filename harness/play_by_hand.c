/* play_by_hand.c - the student's program in the foreground, for nc, a browser
 * or libfiu's tools, and its calls on stderr as they happen.
 *
 * play_by_hand --step NAME --port PORT [--host HOST] [--fault PLAN]
 *              [--submission DIR] [--build DIR] [--interposer FILE]
 *
 * Nothing is judged and nothing is walled in: who plays is at the keyboard.
 * Exit status: 0, or 2 where the program could not be started.
 */
#define _GNU_SOURCE
#include "live_calls.h"
#include "play_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRACE_FD 401    /* out of the way of the numbers that a program gets */
#define QUIET_US 100000 /* then it is told who is blocked, and where */

struct options {
    const struct step *step;
    const char *submission, *build, *interposer, *host, *fault;
    uint16_t port;
};

static struct {
    struct options options;
    struct play play; /* what live_calls.h asks for */
    struct program program;
    struct live_calls calls;
    char binary[PATH_MAX];
    char control[PATH_MAX]; /* where libfiu's tools look for us */
    bool interrupted;
} hand;

static volatile sig_atomic_t interrupts;

__attribute__((noreturn, format(printf, 1, 2))) static void
give_up(const char *format, ...)
{
    va_list list;

    fputs("play: ", stderr);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    exit(2);
}

/* ---- Bad input: one clear line ---- */

static uint16_t parse_port(const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);

    if (end == text || *end || port < 1 || port > 65535)
        give_up("PORT=%s: a port is a number from 1 to 65535, as in PORT=7777",
                text);
    return (uint16_t)port;
}

static struct options parse_options(int argc, char **argv)
{
    static const struct option names[] = {
        {"step", required_argument, NULL, 's'},
        {"port", required_argument, NULL, 'p'},
        {"host", required_argument, NULL, 'H'},
        {"fault", required_argument, NULL, 'F'},
        {"submission", required_argument, NULL, 'd'},
        {"build", required_argument, NULL, 'b'},
        {"interposer", required_argument, NULL, 'i'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {.submission = "exercises",
                              .build = "build/by-hand",
                              .interposer = "build/interposer.so",
                              .fault = ""};
    const char *step = "", *port = "", *host = "";
    int option;

    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (option) {
        case 's':
            step = optarg;
            break;
        case 'p':
            port = optarg;
            break;
        case 'H':
            host = optarg;
            break;
        case 'F':
            options.fault = optarg;
            break;
        case 'd':
            options.submission = optarg;
            break;
        case 'b':
            options.build = optarg;
            break;
        case 'i':
            options.interposer = optarg;
            break;
        default:
            exit(2);
        }
    }
    options.step = step_by_name(step);
    if (!options.step)
        give_up("STEP=%s: name one of the steps: %s", step, step_names());
    options.port = parse_port(port);
    options.host = *host ? host : "127.0.0.1";
    return options;
}

/* A server's port must be had now; what holds it is not the program. */
static void check_port(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        if (errno == EADDRINUSE)
            give_up("port %u is taken (`ss -ltnp` shows by whom); take "
                    "another: PORT=%u",
                    port, port < 65535 ? port + 1u : 7777u);
        give_up("port %u cannot be had: %s", port, strerror(errno));
    }
    close(fd);
}

static void check_plan(const char *text)
{
    struct fault plan[FAULT_MAX];
    const char *error;
    int count = fault_parse_plan(plan, text, &error);

    if (count < 0)
        give_up("FAULT=%s: %s", text, error);
    for (int i = 0; i < count; i++)
        if (plan[i].action == FAULT_HOLD || plan[i].action == FAULT_HOLD_AFTER)
            give_up("FAULT=%s: a call that is held waits for a play to let it "
                    "go; by hand nobody would",
                    text);
}

/* ---- Build ---- */

static const char *absolute(const char *path)
{
    const char *whole = realpath(path, NULL);

    if (!whole)
        give_up("%s: %s", path, strerror(errno));
    return whole;
}

static void build(const struct options *options)
{
    static struct program_build made;

    mkdir(options->build, 0777);
    snprintf(hand.binary, sizeof(hand.binary), "%s/%s",
             absolute(options->build), options->step->name);
    if (program_build(&made, absolute(options->submission), options->step->name,
                      hand.binary) < 0)
        give_up("cannot compile: %s", strerror(errno));
    if (made.missing)
        give_up("there is no file %s in %s", options->step->source,
                options->submission);
    fputs(made.messages, stderr);
    if (!made.built)
        give_up("%s does not compile", options->step->source);
}

/* ---- Start ---- */

static void on_signal(int signal)
{
    if (signal != SIGCHLD)
        interrupts++;
    /* Else one that comes just before the wait would not end it. */
    atomic_fetch_add(&hand.program.trace->seq, 1);
}

static void catch_signals(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};
    const struct sigaction action = {.sa_handler = on_signal};

    for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
        sigaction(signals[i], &action, NULL);
}

/* A server stands in a group of its own, so that Ctrl-C comes to us, and we
 * can tell. The client reads the terminal, and stays in front. */
static void become_program(int trace_fd)
{
    const struct options *options = &hand.options;
    char plan[PATH_MAX + 32], port[8];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!options->step->is_client) {
        int null = open("/dev/null", O_RDONLY);

        setpgid(0, 0);
        dup2(null, STDIN_FILENO);
        close(null);
    }
    snprintf(plan, sizeof(plan), "-1:%d:%s", TRACE_FD, hand.binary);
    snprintf(port, sizeof(port), "%u", options->port);
    setenv("LD_PRELOAD", options->interposer, 1);
    setenv("FAULTLINE", plan, 1);
    setenv("FAULTLINE_CONTROL", hand.control, 1);
    if (dup2(trace_fd, TRACE_FD) < 0)
        _exit(126);
    if (options->step->is_client)
        execl(hand.binary, options->step->name, options->host, port, NULL);
    else
        execl(hand.binary, options->step->name, port, NULL);
    _exit(127);
}

static void start(void)
{
    struct trace *trace;
    const char *error;
    int trace_fd = trace_create(&trace);

    if (trace_fd < 0)
        give_up("no memory for the trace: %s", strerror(errno));
    trace->fault_count =
        (uint32_t)fault_parse_plan(trace->fault, hand.options.fault, &error);
    trace->numbers_connects = hand.options.step->is_client;
    trace->numbers_accepts = !hand.options.step->is_client;
    hand.program.trace = trace;
    hand.play.program = &hand.program;
    hand.play.binary = hand.binary;
    live_calls_begin(&hand.calls, &hand.play);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    catch_signals();
    hand.program.pid = fork();
    if (hand.program.pid == 0)
        become_program(trace_fd);
    if (hand.program.pid < 0)
        give_up("cannot start it: %s", strerror(errno));
    hand.program.running = true;
    close(trace_fd);
}

/* libfiu's tools look for the pipes there. */
static void choose_control(void)
{
    const char *folder = getenv("TMPDIR");

    snprintf(hand.control, sizeof(hand.control), "%s/fiu-ctrl",
             folder && *folder ? folder : "/tmp");
}

static void tell_how(void)
{
    const struct options *options = &hand.options;
    pid_t pid = hand.program.pid;

    if (options->step->is_client)
        fprintf(stderr,
                "-- ./%s %s %u is process 1, PID %d; type lines, end "
                "with Ctrl-D\n",
                options->step->name, options->host, options->port, pid);
    else
        fprintf(stderr,
                "-- ./%s %u is process 1, PID %d; Ctrl-C ends it\n"
                "-- talk to it    nc 127.0.0.1 %u   "
                "or a browser: http://127.0.0.1:%u/\n",
                options->step->name, options->port, pid, options->port,
                options->port);
    const char *point = options->step->is_client ? call_point(CALL_read)
                                                 : call_point(CALL_fork);
    fprintf(stderr,
            "-- make it fail  fiu-ctrl -c 'enable name=%s,failinfo=%d' %d\n"
            "-- and no more   fiu-ctrl -c 'disable name=%s' %d\n"
            "   (fiu-ctrl is in Debian's fiu-utils; harness/README.md has more "
            "of it)\n",
            point, options->step->is_client ? ECONNRESET : EAGAIN, pid, point,
            pid);
    if (*options->fault)
        fprintf(stderr, "-- planned       %s\n", options->fault);
}

/* ---- End ---- */

static void pass_on_interrupt(void)
{
    static sig_atomic_t passed;
    pid_t pid = hand.program.pid;

    if (interrupts == passed || !hand.program.running)
        return;
    passed = interrupts;
    fprintf(stderr, hand.interrupted ? "-- once more: SIGKILL\n"
                                     : "-- it gets SIGINT, as by Ctrl-C\n");
    kill(hand.options.step->is_client ? pid : -pid,
         hand.interrupted ? SIGKILL : SIGINT);
    hand.interrupted = true;
}

/* The program's own processes, and those that it orphaned. */
static void reap(void)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == hand.program.pid) {
            hand.program.running = false;
            hand.program.status = status;
        }
}

static size_t kill_rest(void)
{
    struct census census;
    size_t left = 0;

    census_take(&census, getpid(), 0);
    for (size_t i = 0; i < census.count; i++)
        left += census.process[i].state != 'Z' &&
                kill(census.process[i].pid, SIGKILL) == 0;
    census_release(&census);
    reap();
    return left;
}

/* A process that ends in a hurry leaves its pipes behind. */
static void remove_controls(void)
{
    const struct trace *trace = hand.program.trace;
    uint32_t count = atomic_load(&trace->threads);

    for (uint32_t i = 0; i < count && i < TRACE_THREADS; i++) {
        char path[PATH_MAX + 32];

        snprintf(path, sizeof(path), "%s-%d.in", hand.control,
                 trace->thread[i].pid);
        unlink(path);
        snprintf(path, sizeof(path), "%s-%d.out", hand.control,
                 trace->thread[i].pid);
        unlink(path);
    }
}

static void end(void)
{
    const struct trace *trace = hand.program.trace;
    char status[160];
    size_t left = kill_rest();

    live_calls_show_returned(&hand.calls);
    live_calls_show_blocked(&hand.calls);
    fprintf(stderr, "-- it %s\n",
            program_status_text(hand.program.status, status, sizeof(status)));
    if (left > 0 && !hand.interrupted)
        fprintf(stderr, "-- %zu of its processes lived on, and are ended\n",
                left);
    if (atomic_load(&trace->threads) == 0)
        fputs("-- its calls could not be seen: it goes around libc\n", stderr);
    while (kill_rest() > 0)
        continue;
    remove_controls();
}

int main(int argc, char **argv)
{
    hand.options = parse_options(argc, argv);
    hand.options.interposer = absolute(hand.options.interposer);
    check_plan(hand.options.fault);
    if (!hand.options.step->is_client)
        check_port(hand.options.port);
    const char *lack = program_raise_files();
    if (lack)
        give_up("%s", lack);
    build(&hand.options);
    choose_control();
    start();
    tell_how();
    while (hand.program.running) {
        struct trace *trace = hand.program.trace;
        uint32_t seq = atomic_load(&trace->seq);

        pass_on_interrupt();
        reap();
        live_calls_show_returned(&hand.calls);
        trace_wait(trace, seq, QUIET_US);
        if (atomic_load(&trace->seq) == seq)
            live_calls_show_blocked(&hand.calls);
    }
    end();
    return 0;
}
