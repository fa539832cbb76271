/* bench.c - what a case costs: the same scenario (start a forked echo server
 * with a failure armed, connect, echo a line, half-close, end it) played bare,
 * by us and by others, in turn, so that the machine's drift hits all alike.
 *
 * bench PROGRAM INTERPOSER [RUNS]
 */
#define _GNU_SOURCE
#include "server.h"

#include "../../harness/play_internal.h"
#include "../../harness/result.h"
#include "../../harness/sandbox.h"
#include "../../harness/submission.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_RUNS 2000
#define TRACE_FD 401

/* Armed, asked for at each write, and never due. */
#define PLAN "write#1000=ECONNRESET"

static struct {
    struct kit_file server, library;
    char path[PATH_MAX], interposer[PATH_MAX]; /* in the sandbox */
    int runs;
    struct program program; /* ours, executed once */
    struct trace *trace;    /* of a program that is executed each time */
    int trace_fd;
} bench;

/* ---- The scenario, by hand ---- */

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port)};

    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    for (;;) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
            return fd;
        close(fd);
        if (errno != ECONNREFUSED) /* it is not listening yet */
            return -1;
    }
}

static int echo_a_line(uint16_t port)
{
    char back[8];
    int fd = connect_to(port);

    if (fd < 0 || write(fd, "hello\n", 6) != 6 || read(fd, back, 6) != 6 ||
        shutdown(fd, SHUT_WR) < 0 || read(fd, back, 1) != 0)
        return -1;
    return close(fd);
}

/* Ends it with all that it has started. */
static int talk_and_end(pid_t pid, uint16_t port)
{
    int result = pid < 0 ? -1 : echo_a_line(port);

    setpgid(pid, pid); /* it does so itself, perhaps later */
    kill(-pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return result;
}

static int play_bare(uint16_t port)
{
    pid_t pid = fork();

    if (pid == 0) {
        setpgid(0, 0);
        _exit(serve(port));
    }
    return talk_and_end(pid, port);
}

/* `command` is followed by the program and its port. */
static int play_executed(const char *const *command, uint16_t port)
{
    char text[8];
    const char *argv[24];
    int n = 0;

    for (; command[n]; n++)
        argv[n] = command[n];
    snprintf(text, sizeof(text), "%u", port);
    argv[n] = bench.path;
    argv[n + 1] = text;
    argv[n + 2] = NULL;
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    return talk_and_end(pid, port);
}

static int play_strace(uint16_t port)
{
    return play_executed(
        (const char *const[]){
            "strace", "-f", "-qq", "-o", "/dev/null", "--trace=write",
            "--inject=write:error=ECONNRESET:when=1000", NULL},
        port);
}

static int play_strace_bpf(uint16_t port)
{
    return play_executed(
        (const char *const[]){
            "strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null",
            "--trace=write", "--inject=write:error=ECONNRESET:when=1000", NULL},
        port);
}

/* Without its remote control, which would leave pipes behind. */
static int play_fiu_run(uint16_t port)
{
    return play_executed(
        (const char *const[]){
            "fiu-run", "-x", "-f", "", "-c",
            "enable_random name=posix/io/rw/write,probability=0", NULL},
        port);
}

static void plan(struct trace *trace)
{
    const char *error;

    trace->fault_count = (uint32_t)fault_parse_plan(trace->fault, PLAN, &error);
}

/* Our own library, without the fork server. */
static int play_preload(uint16_t port)
{
    char preload[4200], how[4200];

    snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", bench.interposer);
    snprintf(how, sizeof(how), "FAULTLINE=-1:%d:%s", bench.trace_fd,
             bench.path);
    trace_reset(bench.trace);
    plan(bench.trace);
    return play_executed((const char *const[]){"env", preload, how, NULL},
                         port);
}

/* ---- The scenario, as a case ---- */

static int play_ours(uint16_t port)
{
    static const struct step_case row = {.name = "bench", .faults = PLAN};
    static struct verdict verdict;
    static struct play play;

    memset(&play, 0, sizeof(play));
    memset(&verdict, 0, sizeof(verdict));
    play.row = &row;
    play.verdict = &verdict;
    play.program_name = "server";
    play_open(&play, &bench.program, port);
    play_serve(&play);
    struct peer *client = play_client(&play);
    play_send(&play, client, "hello\n");
    expect_echo(&play, client);
    play_half_close(&play, client);
    expect_eof(&play, client);
    play_end(&play);
    return 0;
}

/* ---- The table ---- */

struct way {
    const char *name;
    int (*play)(uint16_t port);
    const char *needs; /* a command; NULL: nothing */
    bool missing;
    double ms[MAX_RUNS];
};

static struct way ways[] = {
    {.name = "bare fork+connect+echo+exit", .play = play_bare},
    {.name = "a plain case of ours", .play = play_ours},
    {.name = "our library, exec each time", .play = play_preload},
    {.name = "`fiu-run -x`", .play = play_fiu_run, .needs = "fiu-run"},
    {.name = "`strace -f --inject`", .play = play_strace, .needs = "strace"},
    {.name = "`strace -f --seccomp-bpf --inject`",
     .play = play_strace_bpf,
     .needs = "strace"},
};
#define WAYS (sizeof(ways) / sizeof(*ways))

static bool is_installed(const char *command)
{
    char line[128];

    snprintf(line, sizeof(line), "command -v %s >/dev/null 2>&1", command);
    return system(line) == 0;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double quantile(const double *values, double part)
{
    static double sorted[MAX_RUNS];

    memcpy(sorted, values, (size_t)bench.runs * sizeof(*sorted));
    qsort(sorted, (size_t)bench.runs, sizeof(*sorted), by_size);
    return sorted[(int)(part * (bench.runs - 1))];
}

/* The median of the ratios of runs that were neighbours. */
static double ratio(const struct way *way, const struct way *base)
{
    static double each[MAX_RUNS];

    for (int i = 0; i < bench.runs; i++)
        each[i] = way->ms[i] / base->ms[i];
    return quantile(each, 0.5);
}

static void print(const struct way *way)
{
    if (way->missing) {
        printf("| %-34s | not installed | | | | |\n", way->name);
        return;
    }
    printf("| %-34s | %8.2f | %8.2f | %8.2f | %8.2f | %8.2f |\n", way->name,
           quantile(way->ms, 0.1), quantile(way->ms, 0.5),
           quantile(way->ms, 0.9), ratio(way, &ways[0]), ratio(way, &ways[1]));
}

static int play_all(uint16_t *next)
{
    for (int i = 0; i < bench.runs; i++)
        for (size_t w = 0; w < WAYS; w++) {
            uint16_t port = sandbox_port(next);
            uint64_t begun = play_now_ns();

            if (!ways[w].missing && ways[w].play(port) < 0) {
                fprintf(stderr, "bench: %s: %s\n", ways[w].name,
                        strerror(errno));
                return -1;
            }
            ways[w].ms[i] = (double)(play_now_ns() - begun) / 1e6;
        }
    return 0;
}

static void load(struct kit_file *file, const char *path)
{
    file->data = submission_load(path, 64u << 20, &file->len);
    if (file->data)
        return;
    perror(path);
    exit(2);
}

static int measure(void *arg)
{
    uint16_t next = 12000;

    (void)arg;
    signal(SIGPIPE, SIG_IGN);
    if (sandbox_install("server", bench.server.data, bench.server.len, 0755,
                        bench.path, sizeof(bench.path)) < 0 ||
        sandbox_install("interposer.so", bench.library.data, bench.library.len,
                        0755, bench.interposer, sizeof(bench.interposer)) < 0 ||
        program_open(&bench.program, bench.path, bench.interposer) < 0) {
        perror(bench.path);
        return 1;
    }
    bench.trace_fd = trace_create(&bench.trace);
    if (bench.trace_fd < 0 || dup2(bench.trace_fd, TRACE_FD) < 0)
        return 1;
    close(bench.trace_fd);
    bench.trace_fd = TRACE_FD;
    for (size_t w = 0; w < WAYS; w++)
        ways[w].missing = ways[w].needs && !is_installed(ways[w].needs);
    int result = play_all(&next);
    program_close(&bench.program);
    if (result < 0)
        return 1;
    printf("| %-34s | %8s | %8s | %8s | %8s | %8s |\n"
           "|------------------------------------|---------:|---------:|"
           "---------:|---------:|---------:|\n",
           "one forked-echo case, ms", "10 %", "median", "90 %", "x bare",
           "x ours");
    for (size_t w = 0; w < WAYS; w++)
        print(&ways[w]);
    fflush(stdout);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: bench PROGRAM INTERPOSER [RUNS]\n");
        return 2;
    }
    bench.runs = argc > 3 ? atoi(argv[3]) : 300;
    if (bench.runs < 10 || bench.runs > MAX_RUNS) {
        fprintf(stderr, "bench: RUNS is 10 to %d\n", MAX_RUNS);
        return 2;
    }
    load(&bench.server, argv[1]);
    load(&bench.library, argv[2]);
    return sandbox_run(sandbox_best(), measure, NULL) != 0;
}
