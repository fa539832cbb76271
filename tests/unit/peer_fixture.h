/* peer_fixture.h - a peer that has connected over real loopback. */
#ifndef FAULTLINE_PEER_FIXTURE_H
#define FAULTLINE_PEER_FIXTURE_H

#include "unit.h"

#include "../../harness/peer.h"

#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define MIB (1024u * 1024u)

static int listener, far; /* `far`: the program's end of the connection */
static uint16_t port, known_port;
static struct peer peer;

UNIT_HELPER void note_port(void *arg, uint16_t number)
{
    *(uint16_t *)arg = number;
}

UNIT_HELPER void bind_listener(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);

    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
    getsockname(listener, (struct sockaddr *)&at, &len);
    port = ntohs(at.sin_port);
}

UNIT_HELPER void make_listener(void)
{
    bind_listener();
    assert_int_equal(listen(listener, 8), 0);
}

UNIT_HELPER void connect_peer(struct peer *which, int number, int buffer)
{
    memset(which, 0, sizeof(*which));
    which->number = number;
    assert_int_equal(
        peer_connect(which, "127.0.0.1", port, buffer, note_port, &known_port),
        0);
}

UNIT_HELPER int connect_both(void **state)
{
    (void)state;
    make_listener();
    connect_peer(&peer, 1, 0);
    far = accept(listener, NULL, NULL);
    return far < 0 ? -1 : 0;
}

UNIT_HELPER int close_all(void **state)
{
    (void)state;
    peer_release(&peer);
    close(far);
    close(listener);
    return 0;
}

/* Until the condition holds; what must come over loopback comes, some of it
 * only by a timer of TCP's. */
#define REPEAT_UNTIL(pump, condition)                                          \
    do {                                                                       \
        int looks = 0;                                                         \
        for (; !(condition) && looks < UNIT_LOOKS; looks++)                    \
            if ((pump) == 0)                                                   \
                sched_yield();                                                 \
        if (!(condition))                                                      \
            fail_msg("never: %s", #condition);                                 \
    } while (0)

#define PUMP_UNTIL(condition) REPEAT_UNTIL(peer_pump(&peer), condition)

UNIT_HELPER int unread_bytes(int fd)
{
    int bytes = 0;

    assert_int_equal(ioctl(fd, FIONREAD, &bytes), 0);
    return bytes;
}

UNIT_HELPER void say(const char *text)
{
    size_t len = strlen(text);

    assert_int_equal(write(far, text, len), len);
}

#endif
