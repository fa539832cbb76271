/* run_build.c - brings a submission into the sandbox and builds it there. */
#define _GNU_SOURCE
#include "run_internal.h"

#include "sandbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool cannot(const char *what)
{
    char words[256];

    snprintf(words, sizeof(words), "not graded: cannot %s: %s", what,
             strerror(errno));
    run_settle(VERDICT_ERROR, words);
    return false;
}

/* The binary goes where the submission cannot change it. */
static int install(const char *built, const char *name, char path[PATH_MAX])
{
    size_t len;
    char *image = submission_load(built, 256u << 20, &len);
    int result =
        image ? sandbox_install(name, image, len, 0755, path, PATH_MAX) : -1;

    free(image);
    return result;
}

/* What is needed inside and lies outside. */
static int bring_in(const char *sources)
{
    const struct kit_file *library = run.options->interposer;
    const struct kit_file *valgrind = run.options->suppressions;
    char path[PATH_MAX];

    if (sandbox_install("valgrind.supp", valgrind->data, valgrind->len, 0644,
                        path, sizeof(path)) < 0 ||
        sandbox_install("interposer.so", library->data, library->len, 0755,
                        run.interposer, sizeof(run.interposer)) < 0)
        return -1;
    if (mkdir(sources, 0755) < 0 && errno != EEXIST)
        return -1;
    return submission_write(run.options->submission, sources);
}

/* Before the program has run: it cannot change what is compiled. Where it goes
 * wrong, valgrind sees what it sees without. */
static void build_checked(const char *sources, const char *output)
{
    char checked[PATH_MAX], name[64];

    snprintf(name, sizeof(name), "%s.checked", run.result->step->name);
    snprintf(checked, sizeof(checked), "%.4000s.checked", output);
    if (program_build_checked(sources, run.result->step->name, run.interposer,
                              checked) < 0 ||
        install(checked, name, run.checked) < 0)
        memcpy(run.checked, run.binary, sizeof(run.checked));
}

bool run_build(void)
{
    struct program_build *made = &run.result->build;
    char sources[PATH_MAX], output[PATH_MAX], words[256];

    if (submission_refused(run.options->submission, words, sizeof(words))) {
        run_refuse(words, "A submission is regular files of up to 1 MiB each.",
                   "Put a copy of the file itself there.");
        return false;
    }
    snprintf(sources, sizeof(sources), "%.4000s/source", sandbox_scratch());
    snprintf(output, sizeof(output), "%.4000s/%s", sandbox_scratch(),
             run.result->step->name);
    if (bring_in(sources) < 0)
        return cannot("set up the sandbox");
    if (program_build(made, sources, run.result->step->name, output) < 0 ||
        (made->built &&
         install(output, run.result->step->name, run.binary) < 0))
        return cannot("compile");
    if (made->missing) {
        snprintf(words, sizeof(words), "there is no file %s",
                 run.result->step->source);
        run_refuse(words, "A step is graded by the file of its name.",
                   "Is it in that folder, and spelled like that?");
        return false;
    }
    if (!made->built) {
        run_settle(VERDICT_FAIL, "does not compile");
        snprintf(run.result->verdict[0].came,
                 sizeof(run.result->verdict[0].came), "%.700s", made->messages);
        snprintf(run.result->verdict[0].file,
                 sizeof(run.result->verdict[0].file), "%.63s", made->file);
        run.result->verdict[0].line = made->line;
        return false;
    }
    if (made->around[0]) {
        snprintf(words, sizeof(words),
                 "the program goes around what is observed: it uses %s(), and "
                 "what cannot be observed cannot be graded",
                 made->around);
        run_refuse_around(words);
        return false;
    }
    if (!run.options->without_valgrind)
        build_checked(sources, output);
    run.result->verdict[0].status = VERDICT_PASS;
    return true;
}
