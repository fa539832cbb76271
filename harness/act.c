/* act.c - what a play does with the program: start it, bound it, stop it. */
#define _GNU_SOURCE
#include "play_internal.h"

#include "debug.h"
#include "sandbox.h"
#include "watchdog.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

/* ---- The machine's trouble is not the program's ---- */

void play_not_graded(struct play *play, const char *what)
{
    play->verdict->status = VERDICT_ERROR;
    snprintf(play->verdict->came, sizeof(play->verdict->came),
             "not graded: %s: %s", what, strerror(errno));
    play_end_failed(play);
}

/* ---- A case's life ---- */

void play_open(struct play *play, struct program *program, uint16_t port)
{
    play->program = program;
    play->port = port;
    play->listener = play->terminal = play->slave = -1;
    play->descriptors = PROGRAM_FILES;
    snprintf(play->port_text, sizeof(play->port_text), "%u", port);
    play->output.text = calloc(1, PLAY_TEXT);
    play->errors.text = calloc(1, PLAY_TEXT);
    if (!play->output.text || !play->errors.text)
        play_not_graded(play, "no memory");
    trace_reset(program->trace);
    if (play->row->faults)
        play_fault(play, play->row->faults);
}

void play_end(struct play *play)
{
    for (unsigned i = 0; i < trace_faults(play->program->trace); i++)
        trace_open_gate(play->program->trace, i);
    watchdog_feed(0);
    program_kill(play->program);
    play_forget_plan(play);
    for (size_t i = 0; i < play->peers; i++) {
        peer_release(play->peer[i]);
        free(play->peer[i]);
    }
    if (play->listener >= 0)
        close(play->listener);
    if (play->terminal >= 0)
        close(play->terminal);
    if (play->slave >= 0)
        close(play->slave);
    free(play->output.text);
    free(play->errors.text);
}

uint16_t play_port(const struct play *play)
{
    return play->port;
}

const char *play_port_text(const struct play *play)
{
    return play->port_text;
}

pid_t play_pid(const struct play *play)
{
    return play->program->pid;
}

struct trace *play_trace(struct play *play)
{
    return play->program->trace;
}

const char *play_output(struct play *play)
{
    return play->output.text;
}

const char *play_errors(struct play *play)
{
    return play->errors.text;
}

/* ---- Starting and ending ---- */

static void start(struct play *play, const char *const *args,
                  struct program_start how)
{
    const char *argv[8] = {play->program_name};
    char line[128] = "";

    for (int i = 0; i < 6 && args[i]; i++) {
        argv[i + 1] = args[i];
        strncat(line, " ", sizeof(line) - strlen(line) - 1);
        strncat(line, args[i], sizeof(line) - strlen(line) - 1);
    }
    how.argv = argv;
    how.descriptors = play->descriptors;
    how.taken[0] = play->taken[0];
    how.taken[1] = play->taken[1];
    if (play->program->errors >= 0) /* an earlier start of this play */
        program_kill(play->program);
    play->output.len = play->errors.len = 0; /* what it says is its own */
    play->waits_before = atomic_load(&play->program->trace->waits);
    debug_prepare(play);
    play_tell(play, "./%s%s is started", play->program_name, line);
    if (program_run(play->program, &how) == 0)
        return;
    if (errno != ETIME && !program_is_open(play->program))
        play_fail(play, "the program leaves other processes alone",
                  "it ended the process that starts it");
    play_not_graded(play, "the program cannot be started");
}

void play_start(struct play *play, const char *const *args)
{
    start(play, args, (struct program_start){.input = -1, .output = -1});
}

static bool listens(struct play *play, void *arg)
{
    (void)arg;
    return atomic_load(&play->program->trace->listens) > 0;
}

static bool waits(struct play *play, void *arg)
{
    (void)arg;
    return atomic_load(&play->program->trace->waits) != play->waits_before;
}

void play_await_clients(struct play *play)
{
    play_until(play, waits, NULL);
}

/* The trace says when; that it is true the first client sees. A port that is
 * open although the trace knows of no listen() was opened around libc. */
static void serve(struct play *play)
{
    char words[700];

    play_start(play, (const char *const[]){play->port_text, NULL});
    enum play_end end = play_until(play, listens, NULL);
    if (listens(play, NULL)) {
        play_await_clients(play);
        return;
    }
    if (wire_listens(play->port) == 1)
        play_fail(play, "the program calls listen() through libc",
                  "it listens, but went around libc: what cannot be observed "
                  "cannot be graded");
    play->hangs = end == END_REST || end == END_TIMED;
    play->spins = end == END_SPINS;
    play_blame_for(play, BLAME_START);
    play_fail(play, "the server listens on its port", "%s",
              play_describe(play, end, words, sizeof(words)));
}

void play_serve(struct play *play)
{
    serve(play);
}

void play_serve_again(struct play *play)
{
    atomic_store(&play->program->trace->listens, 0);
    serve(play);
}

struct peer *play_new_peer(struct play *play)
{
    struct peer *peer = calloc(1, sizeof(*peer));

    if (!peer || play->peers == PLAY_PEERS)
        play_not_graded(play, "no memory");
    play->peer[play->peers++] = peer;
    peer->in = peer->out = -1;
    return peer;
}

/* Lines are handed over as typed; nothing is echoed or changed. */
static int open_terminal(struct play *play, int *slave)
{
    struct termios plain;

    if (openpty(&play->terminal, slave, NULL, NULL, NULL) < 0)
        return -1;
    fcntl(play->terminal, F_SETFD, FD_CLOEXEC);
    fcntl(*slave, F_SETFD, FD_CLOEXEC);
    tcgetattr(*slave, &plain);
    plain.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    plain.c_oflag &= ~(tcflag_t)OPOST;
    return tcsetattr(*slave, TCSANOW, &plain);
}

struct peer *play_start_user(struct play *play, const char *const *args,
                             bool terminal)
{
    struct program_start how = {.input = -1, .output = -1};
    struct peer *user = play_new_peer(play);
    int slave = -1;

    play_trace(play)->numbers_connects = 1;
    user->number = 1;
    if (!terminal) {
        how.input_pipe = true;
        start(play, args, how);
        peer_user(user, play->program->output, play->program->input);
        play->program->output = play->program->input = -1;
        return user;
    }
    if (open_terminal(play, &slave) < 0)
        play_not_graded(play, "no pseudo-terminal");
    how.input = how.output = slave;
    start(play, args, how);
    play->slave = slave;
    peer_user(user, play->terminal, dup(play->terminal));
    play->terminal = -1;
    return user;
}

void play_signal(struct play *play, int signal)
{
    play_tell(play, "the program gets SIG%s", sigabbrev_np(signal));
    if (kill(play->program->pid, signal) < 0)
        play_fail(play, "the program still runs", "it has ended");
}

static bool ended(struct play *play, void *arg)
{
    (void)arg;
    return program_ended(play->program);
}

void play_stop(struct play *play)
{
    if (!play->program->running)
        return;
    play_tell(play, "the program is stopped");
    kill(play->program->pid, SIGTERM);
    play_until(play, ended, NULL);
    program_kill(play->program);
}

/* ---- Descriptors ---- */

static unsigned highest_descriptor(pid_t pid)
{
    static struct census_fd fds[4096];
    int count = census_fds(pid, fds, 4096);

    return count > 0 ? (unsigned)fds[count - 1].fd : 0;
}

/* The limit is one on numbers: descriptors below the highest may be free. */
void play_limit_descriptors(struct play *play, unsigned descriptors)
{
    struct rlimit old, now;

    if (!play->program->running) {
        play->descriptors = descriptors;
        return;
    }
    if (descriptors == 0)
        descriptors = highest_descriptor(play->program->pid) + 1;
    play_tell(play, "from now on it may have %u descriptors", descriptors);
    if (sandbox_prlimit(play->program->pid, RLIMIT_NOFILE, NULL, &old) < 0)
        play_not_graded(play, "prlimit");
    play->descriptors_room = (unsigned)old.rlim_cur;
    atomic_store(&play->program->trace->descriptors_cut, 1);
    now = old;
    now.rlim_cur = descriptors;
    if (sandbox_prlimit(play->program->pid, RLIMIT_NOFILE, &now, NULL) < 0)
        play_not_graded(play, "prlimit");
}

void play_take_descriptors(struct play *play, unsigned first, unsigned end)
{
    play->taken[0] = first;
    play->taken[1] = end;
}

void play_free_descriptors(struct play *play)
{
    struct rlimit now = {play->descriptors_room, play->descriptors_room};

    play_tell(play, "it may have %u descriptors again", play->descriptors_room);
    sandbox_prlimit(play->program->pid, RLIMIT_NOFILE, &now, NULL);
    atomic_store(&play->program->trace->descriptors_cut, 0);
}

struct peer *play_exhaust_descriptors(struct play *play)
{
    struct trace *trace = play->program->trace;
    uint32_t failed = atomic_load(&trace->accept_errors);
    uint32_t accepted = atomic_load(&trace->accepted);
    const uint32_t most = 4;

    play_rest(play);
    play_limit_descriptors(play, 0);
    for (uint32_t tries = 0; tries < most; tries++) {
        struct peer *peer = play_client(play);

        play_send(play, peer, "hello\n");
        play_rest(play);
        if (atomic_load(&trace->accept_errors) > failed)
            return peer;
        play_close(play, peer);
        play_rest(play);
        if (atomic_load(&trace->accept_errors) > failed)
            return NULL;
    }
    if (atomic_load(&trace->accepted) - accepted >= most)
        return NULL;
    play_fail(play, "the server goes on accepting clients",
              "with no descriptor to be had it never called accept again");
}

static bool is_stopped(struct play *play, void *arg)
{
    (void)play;
    return census_state(*(pid_t *)arg) == 'T';
}

void play_freeze(struct play *play, pid_t pid)
{
    play_tell(play, "process %s is stopped",
              pid == play->program->pid ? "1" : "of a connection");
    kill(pid, SIGSTOP);
    play_must(play, is_stopped, &pid, "the process can be stopped");
}

void play_thaw(struct play *play, pid_t pid)
{
    play_tell(play, "it goes on");
    kill(pid, SIGCONT);
}
