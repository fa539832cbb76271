/* expect.c - what a play expects, in words for who does not do it. */
#define _GNU_SOURCE
#include "play_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static const char *name_of(const struct peer *peer, char *text, size_t size)
{
    if (peer->kind == PEER_USER)
        snprintf(text, size, "stdout");
    else
        snprintf(text, size, "%s %d",
                 peer->kind == PEER_SERVER ? "server" : "client", peer->number);
    return text;
}

/* A wait for bytes or an end at one peer, and how to say that it failed. */
struct awaited {
    struct peer *peer;
    uint64_t len;
    const char *what;
};

static void missing(struct play *play, const struct awaited *awaited,
                    enum play_end end)
{
    const struct peer *peer = awaited->peer;
    char words[700] = "; ", who[32], broke[96] = "";

    if (peer->error)
        snprintf(broke, sizeof(broke), ", then %s",
                 strerrorname_np(peer->error));
    else if (peer->eof)
        snprintf(broke, sizeof(broke), ", then end of file");
    play->blame_conn = peer->kind == PEER_USER ? 1 : peer->number;
    play->hangs = end == END_REST || end == END_TIMED;
    play->spins = end == END_SPINS;
    if (end == END_HOLDS || end == END_ENDED)
        play_describe_end(play, words, sizeof(words));
    else
        play_describe(play, end, words + 2, sizeof(words) - 2);
    play_fail(play, awaited->what, "%s got %llu of %llu byte%s%s%s",
              name_of(peer, who, sizeof(who)),
              (unsigned long long)peer->received,
              (unsigned long long)awaited->len, awaited->len == 1 ? "" : "s",
              broke, words);
}

static bool has_come(struct play *play, void *arg)
{
    const struct awaited *awaited = arg;
    const struct peer *peer = awaited->peer;

    (void)play;
    return peer->received >= awaited->len || peer->eof || peer->error;
}

static void await_bytes(struct play *play, struct awaited *awaited)
{
    enum play_end end;

    do {
        end = play_until(play, has_come, awaited);
    } while (end == END_HOLDS && !has_come(play, awaited));
    if (awaited->peer->received < awaited->len)
        missing(play, awaited, end);
}

void expect_bytes(struct play *play, struct peer *peer, uint64_t len)
{
    struct awaited awaited = {peer, len, "the bytes that were sent come back"};

    await_bytes(play, &awaited);
}

void expect_echo(struct play *play, struct peer *peer)
{
    struct awaited awaited = {peer, peer->queued,
                              "every byte that was sent comes back"};

    await_bytes(play, &awaited);
}

void expect_no_commands(struct play *play, struct peer *peer)
{
    static const char *const words[] = {"quit\n", "exit\n", "bye\n",
                                        "q\n",    ".\n",    "QUIT\n"};

    play_explain(play,
                 "Echo has no commands: what is sent comes back: RFC 862.",
                 "With which words does the program compare what it read?");
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        play_send(play, peer, words[i]);
        expect_echo(play, peer);
    }
    play_explain(play, NULL, NULL);
}

void expect_arrived(struct play *play, struct peer *server, uint64_t len)
{
    struct awaited awaited = {server, len,
                              "what comes on stdin reaches the server"};

    await_bytes(play, &awaited);
}

static bool is_over(struct play *play, void *arg)
{
    const struct peer *peer = arg;

    (void)play;
    return peer->eof || peer->error;
}

void expect_gone(struct play *play, struct peer *peer)
{
    char expected[96], who[32];

    snprintf(expected, sizeof(expected), "the connection of %s is closed",
             name_of(peer, who, sizeof(who)));
    play->blame_conn = peer->number;
    play->awaits_end = true;
    play_blame_for(play, BLAME_HOLDER);
    play_must(play, is_over, peer, expected);
    play_blame_for(play, BLAME_BY_ITSELF);
    play->awaits_end = false;
}

void expect_eof(struct play *play, struct peer *peer)
{
    expect_gone(play, peer);
    if (peer->eof)
        return;
    play_blame_for(play, BLAME_RESET);
    if (!play->why && peer->error == ECONNRESET &&
        !program_ended(play->program))
        play_explain(play,
                     "close(2) sends a reset where SO_LINGER is set to 0 "
                     "seconds, or bytes lie unread, and what is still on its "
                     "way to the client may be lost: RFC 2525, 2.17.",
                     "What was set on this socket, and what lies unread in it, "
                     "when it is closed?");
    play_fail(play, "the connection is closed in order (end of file)",
              "it broke: %s", strerrorname_np(peer->error));
}

void expect_half_close(struct play *play, struct peer *server)
{
    play_blame_for(play, BLAME_END);
    play_must(play, is_over, server,
              "the client half-closes at the end of stdin");
    if (!server->eof)
        play_fail(play, "the client half-closes at the end of stdin",
                  "the connection broke: %s", strerrorname_np(server->error));
    play_blame_for(play, BLAME_BY_ITSELF);
}

void expect_open(struct play *play, struct peer *peer)
{
    char who[32];

    play_rest(play);
    if (is_over(play, peer))
        play_fail(play, "the connection stays open", "%s saw %s",
                  name_of(peer, who, sizeof(who)),
                  peer->eof ? "end of file" : strerrorname_np(peer->error));
}

void expect_serves(struct play *play)
{
    struct peer *fresh = play_client(play);

    play_send(play, fresh, "still there?\n");
    expect_echo(play, fresh);
    play_half_close(play, fresh);
    expect_eof(play, fresh);
}

/* ---- The end of the program ---- */

static bool has_ended(struct play *play, void *arg)
{
    (void)arg;
    return program_ended(play->program);
}

void expect_exit(struct play *play, int status)
{
    char expected[64], came[64];

    snprintf(expected, sizeof(expected), "the program exits with %d", status);
    play_blame_for(play, status == 2 ? BLAME_EXIT : BLAME_END);
    play_must(play, has_ended, NULL, expected);
    while (play_pump(play))
        continue;
    int how = play->program->status;
    if (!WIFEXITED(how) || WEXITSTATUS(how) != status)
        play_fail(play, expected, "it %s",
                  program_status_text(how, came, sizeof(came)));
    if (status != 0)
        expect_message(play);
    play_blame_for(play, BLAME_BY_ITSELF);
}

void expect_no_signal(struct play *play)
{
    char came[64];

    if (program_ended(play->program) && !WIFEXITED(play->program->status))
        play_fail(
            play, "no signal kills the program", "it %s",
            program_status_text(play->program->status, came, sizeof(came)));
}

static bool has_message(struct play *play, void *arg)
{
    (void)arg;
    return play->errors.len > 0;
}

/* The last line is the message; those before it may be a log. */
static const char *last_line(const char *text)
{
    const char *line = text;

    for (const char *at = text; *at; at++)
        if (*at == '\n' && at[1])
            line = at + 1;
    return line;
}

void expect_message(struct play *play)
{
    /* What perror(3) says of an errno of 0, and printf(3) of a null. */
    static const char *const none[] = {": Success", "(null)"};

    play_until(play, has_message, NULL);
    if (play->errors.len == 0) {
        play_explain(play, play->why,
                     "perror(3) writes to stderr what failed, and why.");
        play_fail(play, "a line on stderr says what failed and why",
                  "stderr is empty");
    }
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        if (strstr(last_line(play_errors(play)), none[i]))
            play_fail(play, "a line on stderr says what failed and why",
                      "the reason that it gives is %s",
                      i == 0 ? "\"Success\"" : "a null pointer, (null)");
}

void expect_reason(struct play *play, int error)
{
    char expected[96];

    snprintf(expected, sizeof(expected), "the message says why: %s",
             strerror(error));
    if (!strstr(play_errors(play), strerror(error)) &&
        !strstr(play_errors(play), strerrorname_np(error))) {
        play_explain(play, play->why,
                     "errno is the last call's: which one came last before "
                     "the message was made?");
        play_fail(play, expected, "it says \"%.*s\"",
                  (int)strcspn(play_errors(play), "\n"), play_errors(play));
    }
}

void expect_alive(struct play *play)
{
    char came[64];

    if (program_ended(play->program))
        play_fail(
            play, "the program still runs", "it %s",
            program_status_text(play->program->status, came, sizeof(came)));
}

/* ---- Lines ---- */

struct lines {
    const char *prefix;
    unsigned n;
    const char *found;
    size_t len;
};

/* Counts complete lines that begin with the prefix; remembers the n-th. */
static unsigned count_lines(struct play *play, struct lines *lines)
{
    const char *at = play->output.text, *end;
    unsigned count = 0;

    for (; (end = strchr(at, '\n')); at = end + 1) {
        if (strncmp(at, lines->prefix, strlen(lines->prefix)) != 0)
            continue;
        if (++count == lines->n) {
            lines->found = at;
            lines->len = (size_t)(end - at);
        }
    }
    return count;
}

static bool has_line(struct play *play, void *arg)
{
    struct lines *lines = arg;

    return count_lines(play, lines) >= lines->n;
}

/* What stdout ends in, for who looks for a line there that looks right. */
static void line_missing(struct play *play, const char *expected,
                         enum play_end end)
{
    const char *last = last_line(play_output(play));
    size_t len = strcspn(last, "\n");
    char words[500];

    play_describe(play, end, words, sizeof(words));
    if (!*last)
        play_fail(play, expected, "stdout is empty; %s", words);
    play_fail(play, expected, "stdout ends in \"%.*s\"%s; %s",
              len < 100 ? (int)len : 100, last,
              last[len] ? "" : " without a newline behind it", words);
}

void expect_line(struct play *play, const char *prefix, unsigned n,
                 const char *line)
{
    struct lines lines = {.prefix = prefix, .n = n};
    char expected[128];
    enum play_end end;

    snprintf(expected, sizeof(expected), "stdout says \"%s\" at once", line);
    play_blame_for(play, BLAME_LINE);
    end = play_come_true(play, has_line, &lines);
    if (end != END_HOLDS)
        line_missing(play, expected, end);
    if (lines.len != strlen(line) || memcmp(lines.found, line, lines.len) != 0)
        play_fail(play, expected, "it says \"%.*s\"", (int)lines.len,
                  lines.found);
    play_blame_for(play, BLAME_BY_ITSELF);
}

void expect_line_count(struct play *play, const char *prefix, unsigned count)
{
    struct lines lines = {.prefix = prefix};
    char expected[128];

    play_rest(play);
    while (play_pump(play))
        continue;
    unsigned came = count_lines(play, &lines);
    snprintf(expected, sizeof(expected),
             "lines of stdout that begin with \"%s\": %u", prefix, count);
    play_blame_for(play, BLAME_LINE);
    if (came != count)
        play_fail(play, expected, "there are %u of them", came);
    play_blame_for(play, BLAME_BY_ITSELF);
}

/* ---- Waits ---- */

void expect_that(struct play *play, bool (*holds)(struct play *, void *),
                 void *arg, const char *expected)
{
    play_must(play, holds, arg, expected);
}

struct counted {
    _Atomic uint32_t *counter;
    unsigned count;
};

static bool has_counted(struct play *play, void *arg)
{
    const struct counted *counted = arg;

    (void)play;
    return atomic_load(counted->counter) >= counted->count;
}

void play_accepted(struct play *play, unsigned count)
{
    struct counted counted = {&play->program->trace->accepted, count};
    char expected[64];

    snprintf(expected, sizeof(expected), "the server accepts %u connection%s",
             count, count == 1 ? "" : "s");
    play_must(play, has_counted, &counted, expected);
}

static bool has_counted_or_failed(struct play *play, void *arg)
{
    return has_counted(play, arg) ||
           atomic_load(&play->program->trace->accept_errors) > 0;
}

bool play_accepted_or_full(struct play *play, unsigned count)
{
    struct counted counted = {&play->program->trace->accepted, count};

    play_must(play, has_counted_or_failed, &counted,
              "the server accepts each client for whom it has room");
    return has_counted(play, &counted);
}

void play_accept_failed(struct play *play, unsigned count)
{
    struct counted counted = {&play->program->trace->accept_errors, count};

    play_must(play, has_counted, &counted,
              "the server accepts the waiting client, which fails");
}
