/* 1_client_start.c - plays of step 1: from the command line to a connection,
 * or to a message and an exit status. */
#include "1_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static struct peer *comes_to(struct play *play, const char *host)
{
    play_start(play, (const char *const[]){host, play_port_text(play), NULL});
    return play_accept(play, ANSWER_ECHO);
}

/* Does it come to the server at all? */
void connects(struct play *play)
{
    play_listen(play, "127.0.0.1");
    comes_to(play, "127.0.0.1");
}

static void is_wrong_usage(struct play *play, const char *const *args)
{
    play_start(play, args);
    expect_exit(play, 2);
}

/* Does it count its arguments, in both directions? */
void tells_its_usage(struct play *play)
{
    const char *port = play_port_text(play);

    is_wrong_usage(play, (const char *const[]){NULL});
    is_wrong_usage(play, (const char *const[]){"127.0.0.1", NULL});
    is_wrong_usage(play,
                   (const char *const[]){"127.0.0.1", port, "more", NULL});
}

/* The older look-ups have words of their own. */
static void expect_resolvers_words(struct play *play, int error)
{
    struct trace_record record;
    char expected[96];

    snprintf(expected, sizeof(expected), "the message says why: %s",
             gai_strerror(error));
    play_blame(play, BLAME_LINE);
    if (trace_find_call(play_trace(play), CALL_getaddrinfo, &record) &&
        !strstr(play_errors(play), gai_strerror(error)))
        play_fail(play, expected, "it says \"%.*s\"",
                  (int)strcspn(play_errors(play), "\n"), play_errors(play));
}

/* Does it look at what the resolver says of a host that does not exist? */
void refuses_an_unknown_host(struct play *play)
{
    play_host(play, "nowhere.invalid", (const char *const[]){NULL});
    play_start(play, (const char *const[]){"nowhere.invalid",
                                           play_port_text(play), NULL});
    expect_exit(play, 1);
    expect_resolvers_words(play, EAI_NONAME);
}

/* And of a service that does not exist? */
void refuses_an_unknown_port(struct play *play)
{
    play_start(play, (const char *const[]){"127.0.0.1", "no-such-port", NULL});
    expect_exit(play, 1);
}

/* Nobody listens, then there is no socket: does it say so, and why? */
void says_why_it_cannot_connect(struct play *play)
{
    play_start(play,
               (const char *const[]){"127.0.0.1", play_port_text(play), NULL});
    expect_exit(play, 1);
    expect_reason(play, ECONNREFUSED);
    play_fault(play, "socket#1..=ENOBUFS");
    play_start(play,
               (const char *const[]){"127.0.0.1", play_port_text(play), NULL});
    expect_exit(play, 1);
    expect_reason(play, ENOBUFS);
}

static char *address_called(const struct peer *server, char *text,
                            socklen_t size)
{
    struct sockaddr_in in = {.sin_family = AF_UNSPEC};
    socklen_t len = sizeof(in);

    getsockname(server->in, (struct sockaddr *)&in, &len);
    inet_ntop(AF_INET, &in.sin_addr, text, size);
    return text;
}

/* The first address has no socket, the second no server, to the third there is
 * no way (to all hosts at once TCP has none); the fourth and the fifth have a
 * server: does it come to the fourth? */
void tries_every_address_in_order(struct play *play)
{
    char called[INET_ADDRSTRLEN];

    play_host(play, "many.example",
              (const char *const[]){"2001:db8::1", "::1", "255.255.255.255",
                                    "127.0.0.3", "127.0.0.2", NULL});
    play_listen(play, "0.0.0.0");
    struct peer *server = comes_to(play, "many.example");
    address_called(server, called, sizeof(called));
    if (strcmp(called, "127.0.0.3") != 0)
        play_fail(play,
                  "of two addresses that would do it takes the first: "
                  "127.0.0.3",
                  "it connects to %s", called);
}

/* Does it come to a server that has no IPv4 address? */
void connects_by_ipv6(struct play *play)
{
    if (!play_has_ipv6())
        return;
    play_listen(play, "::1");
    comes_to(play, "::1");
}

/* Two addresses, and both refuse: does it clean up without a crash? What it
 * says and returns is another case's matter. */
void survives_a_host_that_refuses(struct play *play)
{
    play_host(play, "closed.example",
              (const char *const[]){"127.0.0.2", "127.0.0.3", NULL});
    play_start(play, (const char *const[]){"closed.example",
                                           play_port_text(play), NULL});
    play_settle(play);
    expect_no_signal(play);
}
