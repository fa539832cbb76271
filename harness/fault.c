/* fault.c - fault plans: text to struct and back. */
#define _GNU_SOURCE
#include "fault.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FAMILY_NAME(name) #name,
static const char *const families[FAMILY_COUNT] = {"any",
                                                   FAMILIES(FAMILY_NAME)};
#undef FAMILY_NAME

/* A word that names both a call and its family (`read`) means the family. */
static int parse_call(struct fault *fault, const char *word)
{
    for (int family = 0; family < FAMILY_COUNT; family++) {
        if (strcasecmp(families[family], word) == 0) {
            fault->family = (uint16_t)family;
            return 0;
        }
    }
    fault->call = (uint16_t)call_by_name(word);
    return fault->call == CALL_none ? -1 : 0;
}

static int parse_number(const char **text, uint32_t *number)
{
    char *end;

    if (!isdigit((unsigned char)**text))
        return -1;
    errno = 0;
    unsigned long value = strtoul(*text, &end, 10);
    if (errno || value == 0 || value >= FAULT_FOREVER)
        return -1;
    *number = (uint32_t)value;
    *text = end;
    return 0;
}

/* `#N`, `#N..M` or `#N..`; nothing means `#1`. */
static int parse_range(struct fault *fault, const char **text)
{
    fault->first = fault->last = 1;
    if (**text != '#')
        return 0;
    ++*text;
    if (parse_number(text, &fault->first) < 0)
        return -1;
    fault->last = fault->first;
    if (strncmp(*text, "..", 2) != 0)
        return 0;
    *text += 2;
    fault->last = FAULT_FOREVER;
    if (**text == '=')
        return 0;
    if (parse_number(text, &fault->last) < 0)
        return -1;
    return fault->last < fault->first ? -1 : 0;
}

static int errno_by_name(const char *name)
{
    for (int number = 1; number < 134; number++) {
        const char *known = strerrorname_np(number);

        if (known && strcmp(known, name) == 0)
            return number;
    }
    return 0;
}

static int signal_by_name(const char *name)
{
    if (strncmp(name, "SIG", 3) != 0)
        return 0;
    for (int number = 1; number < 32; number++) {
        const char *known = sigabbrev_np(number);

        if (known && strcmp(known, name + 3) == 0)
            return number;
    }
    return 0;
}

static int parse_short(struct fault *fault, const char *word)
{
    char *end;

    fault->action = FAULT_SHORT;
    if (strcmp(word, "half") == 0)
        return 0;
    errno = 0;
    long value = strtol(word, &end, 10);
    if (errno || end == word || *end || value == 0 || labs(value) > 1 << 30)
        return -1;
    fault->value = (int32_t)value;
    return 0;
}

static int parse_action(struct fault *fault, char *word, const char **error)
{
    char *plus = strchr(word, '+');

    if (plus) {
        *plus = '\0';
        fault->signal = signal_by_name(plus + 1);
        if (!fault->signal) {
            *error = "after '+' comes a signal's name, as in +SIGCHLD";
            return -1;
        }
    }
    if (strcmp(word, "hold") == 0) {
        fault->action = FAULT_HOLD;
    } else if (strcmp(word, "hold-after") == 0) {
        fault->action = FAULT_HOLD_AFTER;
    } else if (strcmp(word, "drop") == 0) {
        fault->action = FAULT_DROP;
        fault->value = ECONNABORTED;
    } else if (strncmp(word, "short:", 6) == 0) {
        *error = "short: takes the number of bytes, -N for N fewer, or half";
        return parse_short(fault, word + 6);
    } else {
        fault->action = FAULT_ERRNO;
        fault->value = errno_by_name(word);
        *error = "after '=' comes an errno's name, short:N, drop, hold "
                 "or hold-after";
        return fault->value ? 0 : -1;
    }
    return 0;
}

int fault_parse(struct fault *fault, const char *text, const char **error)
{
    char word[64];
    size_t len = strcspn(text, "@#=");

    memset(fault, 0, sizeof(*fault));
    *error = "a fault begins with a call's name, as in write@conn2#1=short:1";
    if (len == 0 || len >= sizeof(word))
        return -1;
    memcpy(word, text, len);
    word[len] = '\0';
    text += len;
    if (parse_call(fault, word) < 0) {
        *error = "it names a call that the kit does not know";
        return -1;
    }
    if (strncmp(text, "@conn", 5) == 0) {
        uint32_t conn;

        text += 5;
        *error = "after @conn comes a connection's number, from 1";
        if (parse_number(&text, &conn) < 0 || conn > INT32_MAX)
            return -1;
        fault->conn = (int32_t)conn;
    }
    *error = "after '#' comes which call, from 1: #2, #2..5 or #2..";
    if (parse_range(fault, &text) < 0)
        return -1;
    *error = "a fault has the form call[@connN][#N]=failure";
    if (*text++ != '=' || strlen(text) >= sizeof(word))
        return -1;
    strcpy(word, text);
    return parse_action(fault, word, error);
}

int fault_parse_plan(struct fault plan[FAULT_MAX], const char *text,
                     const char **error)
{
    int count = 0;

    while (text && *text) {
        char one[160];
        size_t len = strcspn(text, ",");

        if (count == FAULT_MAX) {
            *error = "a plan holds at most 16 faults";
            return -1;
        }
        if (len >= sizeof(one)) {
            *error = "one of its faults is too long";
            return -1;
        }
        memcpy(one, text, len);
        one[len] = '\0';
        if (fault_parse(&plan[count], one, error) < 0)
            return -1;
        count++;
        text += len;
        text += *text == ',';
    }
    return count;
}

static int format_action(const struct fault *fault, char *text, size_t size)
{
    switch (fault->action) {
    case FAULT_ERRNO:
        return snprintf(text, size, "%s", strerrorname_np(fault->value));
    case FAULT_SHORT:
        if (fault->value == 0)
            return snprintf(text, size, "short:half");
        return snprintf(text, size, "short:%d", fault->value);
    case FAULT_DROP:
        return snprintf(text, size, "drop");
    case FAULT_HOLD:
        return snprintf(text, size, "hold");
    case FAULT_HOLD_AFTER:
        return snprintf(text, size, "hold-after");
    default:
        return snprintf(text, size, "nothing");
    }
}

char *fault_format(const struct fault *fault, char *text, size_t size)
{
    char name[32], conn[24] = "", range[32] = "", action[40], raised[16] = "";

    if (fault->call != CALL_none) {
        snprintf(name, sizeof(name), "%s", call_name(fault->call));
    } else {
        snprintf(name, sizeof(name), "%s", families[fault->family]);
        for (char *c = name; *c; c++)
            *c = (char)tolower((unsigned char)*c);
    }
    if (fault->conn != FAULT_CONN_ANY)
        snprintf(conn, sizeof(conn), "@conn%d", fault->conn);
    if (fault->last == FAULT_FOREVER)
        snprintf(range, sizeof(range), "#%u..", fault->first);
    else if (fault->last != fault->first)
        snprintf(range, sizeof(range), "#%u..%u", fault->first, fault->last);
    else
        snprintf(range, sizeof(range), "#%u", fault->first);
    format_action(fault, action, sizeof(action));
    if (fault->signal)
        snprintf(raised, sizeof(raised), "+SIG%s", sigabbrev_np(fault->signal));
    snprintf(text, size, "%s%s%s=%s%s", name, conn, range, action, raised);
    return text;
}
