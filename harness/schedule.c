/* schedule.c - schedules: text to struct and back, and their acts. */
#define _GNU_SOURCE
#include "schedule.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A number from 1 to `most`. */
static int parse_number(const char **text, unsigned long most, uint32_t *number)
{
    char *end;

    if (!isdigit((unsigned char)**text))
        return -1;
    errno = 0;
    unsigned long value = strtoul(*text, &end, 10);
    if (errno || value == 0 || value > most)
        return -1;
    *number = (uint32_t)value;
    *text = end;
    return 0;
}

static int parse_act(struct schedule_act *act, const char **text,
                     const char **error)
{
    *act = (struct schedule_act){.client = 0};
    *error = "an act begins with a client's number, from 1 to 8";
    if (parse_number(text, SCHEDULE_CLIENTS, &act->client) < 0)
        return -1;
    *error = "behind a client's number comes + (connects), :N (sends N "
             "bytes), . (half-closes) or ! (resets)";
    if (**text == '\0' || !strchr("+:.!", **text))
        return -1;
    act->what = (enum schedule_what) * (*text)++;
    *error = "a client sends from 1 to 65536 bytes, as in 1:60";
    if (act->what == ACT_SEND &&
        parse_number(text, SCHEDULE_BYTES, &act->bytes) < 0)
        return -1;
    *error = "acts are joined by ','";
    return **text == '\0' || (**text == ',' && (*text)[1]) ? 0 : -1;
}

int schedule_parse(struct schedule *schedule, const char *text,
                   const char **error)
{
    schedule->count = 0;
    do {
        if (schedule->count == SCHEDULE_ACTS) {
            *error = "a schedule holds at most 48 acts";
            return -1;
        }
        if (parse_act(&schedule->act[schedule->count++], &text, error) < 0)
            return -1;
    } while (*text++ == ',');
    *error = schedule_trouble(schedule);
    return *error ? -1 : 0;
}

const char *schedule_trouble(const struct schedule *schedule)
{
    bool half_closed[SCHEDULE_CLIENTS + 1] = {false};
    bool left[SCHEDULE_CLIENTS + 1] = {false};
    unsigned connected = 0;

    for (size_t i = 0; i < schedule->count; i++) {
        const struct schedule_act *act = &schedule->act[i];

        if (act->what == ACT_CONNECT && act->client != connected + 1)
            return "clients connect once, in the order of their numbers";
        connected += act->what == ACT_CONNECT;
        if (act->client > connected)
            return "a client connects before all else: 1+";
        if (left[act->client])
            return "a client that has reset its connection is gone";
        if (half_closed[act->client] && act->what != ACT_RESET)
            return "a client that has half-closed has said all";
        half_closed[act->client] |= act->what == ACT_HALF_CLOSE;
        left[act->client] |= act->what == ACT_RESET;
    }
    return schedule->count ? NULL : "a schedule has an act at least: 1+";
}

char *schedule_format(const struct schedule *schedule, char *text, size_t size)
{
    size_t at = 0;

    text[0] = '\0';
    for (size_t i = 0; i < schedule->count && at < size; i++) {
        const struct schedule_act *act = &schedule->act[i];
        char bytes[12] = "";

        if (act->what == ACT_SEND)
            snprintf(bytes, sizeof(bytes), "%u", act->bytes);
        at += (size_t)snprintf(text + at, size - at, "%s%u%c%s", i ? "," : "",
                               act->client, act->what, bytes);
    }
    return text;
}

static void play_act(const struct schedule_act *act, struct play *play,
                     struct schedule_client *client)
{
    bool lost = client->peer && (client->peer->eof || client->peer->error);

    switch (act->what) {
    case ACT_CONNECT:
        client->peer = play_client(play);
        break;
    case ACT_SEND:
        if (!lost) /* a failure may have cost it its connection */
            play_send_pattern(play, client->peer, act->bytes);
        break;
    case ACT_HALF_CLOSE:
        client->half_closed = true;
        if (!lost)
            play_half_close(play, client->peer);
        break;
    case ACT_RESET:
        client->reset = true;
        play_reset(play, client->peer);
        break;
    }
}

size_t schedule_play(const struct schedule *schedule, struct play *play,
                     struct schedule_client clients[SCHEDULE_CLIENTS])
{
    size_t count = 0;

    memset(clients, 0, SCHEDULE_CLIENTS * sizeof(*clients));
    for (size_t i = 0; i < schedule->count; i++) {
        const struct schedule_act *act = &schedule->act[i];

        count += act->what == ACT_CONNECT;
        play_act(act, play, &clients[act->client - 1]);
        play_settle(play);
    }
    return count;
}
