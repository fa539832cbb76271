/* sweeps.c - what a sweep costs: of scenes of one, four and sixteen times the
 * size, and of a program that hangs in half of its runs.
 *
 * sweeps INTERPOSER SUBMISSION HANGING
 */
#define _GNU_SOURCE
#include "../../harness/result.h"
#include "../../harness/sandbox.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SWEPT "sequential"
#define ROWS  "@(survives|reports)_every_*"
#define TURNS 5

static struct kit_file library;

/* What one sweep came to. */
struct figures {
    unsigned runs, survived;
    double ms;
};

struct job {
    struct step_result result;
    struct run_options options;
};

static int work(void *arg)
{
    struct job *job = arg;
    int log = open("/dev/null", O_WRONLY | O_CLOEXEC);

    dup2(log, STDOUT_FILENO); /* cmocka's */
    dup2(log, STDERR_FILENO);
    return run_step(&job->result, &job->options) < 0;
}

static struct figures sweep(const struct step *step, const char *folder)
{
    struct submission submission;
    struct job *job = mmap(NULL, sizeof(*job), PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct figures sum = {0};

    if (job == MAP_FAILED ||
        submission_read(&submission, folder, step->name) < 0) {
        perror(folder);
        exit(1);
    }
    job->result.step = step;
    job->options = (struct run_options){.submission = &submission,
                                        .interposer = &library,
                                        .suppressions = &library, /* none */
                                        .pattern = ROWS,
                                        .story = {-1, -1},
                                        .without_valgrind = true};
    if (sandbox_run(sandbox_best(), work, job) != 0 || !job->result.done) {
        fprintf(stderr, "sweeps: %s\n", job->result.note);
        exit(1);
    }
    for (size_t i = 0; i < step->count; i++) {
        sum.runs += job->result.verdict[i].injected;
        sum.survived += job->result.verdict[i].survived;
        if (job->result.verdict[i].injected > 0)
            sum.ms += job->result.verdict[i].duration_ms;
    }
    submission_release(&submission);
    munmap(job, sizeof(*job));
    return sum;
}

static int by_time(const void *a, const void *b)
{
    double x = ((const struct figures *)a)->ms;
    double y = ((const struct figures *)b)->ms;

    return x < y ? -1 : x > y;
}

static struct figures median(struct figures turn[TURNS])
{
    qsort(turn, TURNS, sizeof(*turn), by_time);
    return turn[TURNS / 2];
}

/* Clients one after the other: each connects, sends its messages, and ends. */
struct scene {
    unsigned clients, messages;
};

static struct step step_of(const struct scene *scene, char text[256])
{
    struct step step = *step_by_name(SWEPT);
    size_t len = 0;

    for (unsigned c = 1; c <= scene->clients; c++) {
        len += (size_t)sprintf(text + len, "%s%u+", c > 1 ? "," : "", c);
        for (unsigned m = 0; m < scene->messages; m++)
            len += (size_t)sprintf(text + len, ",%u:60", c);
        len += (size_t)sprintf(text + len, ",%u.", c);
    }
    step.sweep.schedule = text;
    return step;
}

static void print_sizes(const char *solution)
{
    static const struct scene scenes[] = {{1, 1}, {2, 2}, {8, 2}};
    struct figures turn[3][TURNS];
    char text[256];

    for (int t = 0; t < TURNS; t++)
        for (int s = 0; s < 3; s++) {
            struct step step = step_of(&scenes[s], text);

            turn[s][t] = sweep(&step, solution);
        }
    printf("| the sweep of a scene of      | runs |       ms | a run | "
           "a run and message |\n"
           "|------------------------------|-----:|---------:|------:|"
           "------------------:|\n");
    for (int s = 0; s < 3; s++) {
        struct figures it = median(turn[s]);
        unsigned messages = scenes[s].clients * scenes[s].messages;

        printf("| %2u message%-18s | %4u | %8.0f | %5.1f | %17.2f |\n",
               messages, messages == 1 ? "" : "s", it.runs, it.ms,
               it.ms / it.runs, it.ms / it.runs / messages);
    }
}

static void print_hanging(const char *solution, const char *hanging)
{
    const struct step *step = step_by_name(SWEPT);
    struct figures right[TURNS], wrong[TURNS];

    for (int t = 0; t < TURNS; t++) {
        right[t] = sweep(step, solution);
        wrong[t] = sweep(step, hanging);
    }
    struct figures one = median(right), other = median(wrong);
    printf("\n| the sweep of                 | runs | survived |       ms |\n"
           "|------------------------------|-----:|---------:|---------:|\n"
           "| the solution                 | %4u | %8u | %8.0f |\n"
           "| one that hangs in the others | %4u | %8u | %8.0f |\n",
           one.runs, one.survived, one.ms, other.runs, other.survived,
           other.ms);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: sweeps INTERPOSER SUBMISSION HANGING\n");
        return 2;
    }
    library.data = submission_load(argv[1], 64u << 20, &library.len);
    if (!library.data) {
        perror(argv[1]);
        return 2;
    }
    print_sizes(argv[2]);
    print_hanging(argv[2], argv[3]);
    return 0;
}
