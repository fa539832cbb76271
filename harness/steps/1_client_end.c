/* 1_client_end.c - plays of step 1: how a talk ends, in order or not, and
 * what the client makes of it. */
#include "1_client.h"

/* All that was typed has come back: does it end, and say so? The server
 * closes when the client has half-closed or closed, not before. */
void exits_with_0_when_all_came_back(struct play *play)
{
    struct talk talk = client_talks(play, ANSWER_ECHO);

    play_send(play, talk.user, "hello\n");
    play_settle(play);
    play_half_close(play, talk.user);
    expect_exit(play, 0);
    expect_echo(play, talk.user);
}

/* All has come back, and the server is gone by the time that the client
 * half-closes: is that taken for a loss? One that does not half-close, or
 * shows the echo only then, loses nothing here. */
void needs_no_server_once_all_came_back(struct play *play)
{
    struct talk talk = client_talks(play, ANSWER_ECHO);

    play_send(play, talk.user, "hello\n");
    play_settle(play);
    play_half_close(play, talk.user);
    play_settle(play);
    if (play_is_held(play, 0) && talk.user->received == talk.user->sent) {
        play_reset(play, talk.server);
        play_settle(play);
    }
    play_release(play, 0);
    expect_exit(play, 0);
}

/* stdin has ended, and the server answers only now: does the client wait? */
void waits_for_the_rest_of_the_echo(struct play *play)
{
    struct talk talk = client_talks(play, ANSWER_ECHO);

    play_pause(play, talk.server);
    types_lines(play, talk.user, 16 * KIB);
    play_half_close(play, talk.user);
    expect_nothing_shown(play, talk.user);
    expect_alive(play);
    play_resume(play, talk.server);
    expect_exit(play, 0);
    expect_echo(play, talk.user);
}

/* stdin is /dev/null: nothing to send, nothing to wait for. */
void ends_on_empty_input(struct play *play)
{
    play_listen(play, "127.0.0.1");
    play_start(play,
               (const char *const[]){"127.0.0.1", play_port_text(play), NULL});
    struct peer *server = play_accept(play, ANSWER_ECHO);
    play_half_close(play, server);
    expect_exit(play, 0);
    if (play_output(play)[0])
        play_fail(play, "nothing comes to stdout", "it prints \"%.40s\"",
                  play_output(play));
}

/* The server closes in order, but owes half of the echo: is that success? */
void fails_when_the_echo_is_cut_off(struct play *play)
{
    struct talk talk = client_talks(play, ANSWER_NOTHING);

    play_send(play, talk.user, "hello\n");
    play_half_close(play, talk.user);
    expect_arrived(play, talk.server, 6);
    play_settle(play);
    play_send(play, talk.server, "hel");
    play_half_close(play, talk.server);
    expect_exit(play, 1);
}

/* The same while the user thinks of the next line: does it notice? */
void notices_the_end_while_stdin_is_open(struct play *play)
{
    struct talk talk = client_talks(play, ANSWER_NOTHING);

    play_send(play, talk.user, "hello\n");
    expect_arrived(play, talk.server, 6);
    play_send(play, talk.server, "hel");
    play_half_close(play, talk.server);
    expect_exit(play, 1);
}

/* The connection breaks while an echo is due and the user thinks. */
void notices_a_reset(struct play *play)
{
    struct talk talk = client_talks(play, ANSWER_NOTHING);

    play_send(play, talk.user, "hello\n");
    expect_arrived(play, talk.server, 6);
    play_settle(play);
    play_reset(play, talk.server);
    expect_exit(play, 1);
}

/* A read that fails for good ends the talk. A client that reads by other
 * means than those of recv(2)'s family is not judged. */
void gives_up_on_a_dead_connection(struct play *play)
{
    struct talk talk = client_talks(play, ANSWER_ECHO);

    play_send(play, talk.user, "hello\n");
    play_settle(play);
    if (play_fired(play, 0))
        expect_exit(play, 1);
}

/* The server leaves between the client's look at the connection and its
 * write: FIN, then RST, so that the write meets a broken pipe, and before any
 * read could tell. What the client says and returns is another case's matter.
 */
void survives_a_server_that_vanishes(struct play *play)
{
    struct talk talk = client_talks(play, ANSWER_NOTHING);

    play_send(play, talk.user, "hello\n");
    play_settle(play);
    play_half_close(play, talk.server);
    play_settle(play);
    play_reset(play, talk.server);
    play_release(play, 0);
    play_settle(play);
    play_release(play, 1);
    play_settle(play);
    expect_no_signal(play);
}
