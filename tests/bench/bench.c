/* bench.c - what a case costs: the same scenario (start a forked echo server,
 * connect, echo a line, half-close, end it) played bare and played by us, in
 * turn, so that the machine's drift hits both.
 *
 * bench PROGRAM INTERPOSER [RUNS]
 */
#define _GNU_SOURCE
#include "server.h"

#include "../../harness/play_internal.h"
#include "../../harness/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_RUNS 2000

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port)};

    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    for (;;) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);

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

static void bare(uint16_t port)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(serve(port));
    if (pid < 0 || echo_a_line(port) < 0)
        perror("bare");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void line(struct play *play)
{
    play_serve(play);
    struct peer *client = play_client(play);
    play_send(play, client, "hello\n");
    expect_echo(play, client);
    play_half_close(play, client);
    expect_eof(play, client);
}

static void ours(struct program *program, uint16_t port)
{
    static const struct step_case row = {.name = "bench"};
    static struct verdict verdict;
    static struct play play;

    memset(&play, 0, sizeof(play));
    memset(&verdict, 0, sizeof(verdict));
    play.row = &row;
    play.verdict = &verdict;
    play.program_name = "server";
    play_open(&play, program, port);
    line(&play);
    play_end(&play);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void print(const char *name, const double *ms, int runs, double base)
{
    printf("%-34s %8.3f %8.3f %8.3f %7.2f\n", name, ms[runs / 10], ms[runs / 2],
           ms[runs * 9 / 10], ms[runs / 2] / base);
}

struct settings {
    const char *program, *interposer;
    int runs;
};

static int measure(void *arg)
{
    static double bare_ms[MAX_RUNS], our_ms[MAX_RUNS];
    const struct settings *settings = arg;
    struct program program;
    uint16_t next = 12000;

    signal(SIGPIPE, SIG_IGN);
    if (program_open(&program, settings->program, settings->interposer) < 0) {
        perror(settings->program);
        return 1;
    }
    for (int i = 0; i < settings->runs; i++) {
        uint64_t begun = play_now_ns();
        bare(sandbox_port(&next));
        uint64_t between = play_now_ns();
        ours(&program, sandbox_port(&next));
        bare_ms[i] = (double)(between - begun) / 1e6;
        our_ms[i] = (double)(play_now_ns() - between) / 1e6;
    }
    program_close(&program);
    qsort(bare_ms, (size_t)settings->runs, sizeof(*bare_ms), by_size);
    qsort(our_ms, (size_t)settings->runs, sizeof(*our_ms), by_size);
    printf("%-34s %8s %8s %8s %7s\n", "one forked-echo case, ms", "10 %",
           "median", "90 %", "ratio");
    print("bare fork+connect+echo+exit", bare_ms, settings->runs,
          bare_ms[settings->runs / 2]);
    print("a plain case of ours", our_ms, settings->runs,
          bare_ms[settings->runs / 2]);
    fflush(stdout);
    return 0;
}

int main(int argc, char **argv)
{
    struct settings settings;

    if (argc < 3) {
        fprintf(stderr, "usage: bench PROGRAM INTERPOSER [RUNS]\n");
        return 2;
    }
    settings =
        (struct settings){argv[1], argv[2], argc > 3 ? atoi(argv[3]) : 500};
    if (settings.runs < 10 || settings.runs > MAX_RUNS) {
        fprintf(stderr, "bench: RUNS is 10 to %d\n", MAX_RUNS);
        return 2;
    }
    return sandbox_run(sandbox_best(), measure, &settings) != 0;
}
