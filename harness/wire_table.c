/* wire_table.c - reading sock_diag(7), or proc_net(5)'s tcp and tcp6. */
#define _GNU_SOURCE
#include "wire_table.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- sock_diag(7) ---- */

struct question {
    struct nlmsghdr head;
    struct inet_diag_req_v2 body;
};

static int ask(int fd, struct question *question)
{
    question->head.nlmsg_len = sizeof(*question);
    question->head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    question->head.nlmsg_flags |= NLM_F_REQUEST;
    question->body.sdiag_protocol = IPPROTO_TCP;
    return send(fd, question, sizeof(*question), 0) == sizeof(*question) ? 0
                                                                         : -1;
}

static int open_diag(void)
{
    return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
}

static struct wire_row row_of(const struct inet_diag_msg *socket)
{
    return (struct wire_row){.local = ntohs(socket->id.idiag_sport),
                             .remote = ntohs(socket->id.idiag_dport),
                             .state = socket->idiag_state,
                             .unacknowledged = socket->idiag_wqueue,
                             .unread = socket->idiag_rqueue,
                             .retransmits = socket->idiag_retrans,
                             .timer = socket->idiag_timer,
                             .inode = socket->idiag_inode};
}

/* The answers to one question, to their end, or until one will do. */
static int take_answers(int fd, wire_look *look, void *arg)
{
    _Alignas(struct nlmsghdr) char room[32768];

    for (;;) {
        ssize_t n = recv(fd, room, sizeof(room), 0);

        if (n <= 0)
            return -1;
        for (struct nlmsghdr *head = (struct nlmsghdr *)room;
             NLMSG_OK(head, (size_t)n); head = NLMSG_NEXT(head, n)) {
            if (head->nlmsg_type == NLMSG_DONE) /* its result is an errno */
                return *(const int *)NLMSG_DATA(head) < 0 ? -1 : 0;
            if (head->nlmsg_type != SOCK_DIAG_BY_FAMILY)
                return -1;
            struct wire_row row = row_of(NLMSG_DATA(head));
            if (look(&row, arg))
                return 1;
        }
    }
}

/* A netlink socket for each look: several processes may look at once. */
int wire_each_by_diag(bool listeners, wire_look *look, void *arg)
{
    static const unsigned char families[] = {AF_INET, AF_INET6};
    const uint32_t listen = 1U << TCP_LISTEN;
    int fd = open_diag();
    int found = fd < 0 ? -1 : 0;

    for (int i = 0; i < 2 && found == 0; i++) {
        struct question all = {
            .head.nlmsg_flags = NLM_F_DUMP,
            .body = {.sdiag_family = families[i],
                     .idiag_states = listeners ? listen : ~listen}};

        found = ask(fd, &all) < 0 ? -1 : take_answers(fd, look, arg);
    }
    if (fd >= 0)
        close(fd);
    return found;
}

/* Address and port of an end, as a question has them. */
static void put_end(const struct sockaddr_storage *end, __be32 addr[4],
                    __be16 *port)
{
    const struct sockaddr_in *ip = (const struct sockaddr_in *)end;
    const struct sockaddr_in6 *ip6 = (const struct sockaddr_in6 *)end;

    if (end->ss_family == AF_INET6)
        memcpy(addr, &ip6->sin6_addr, sizeof(ip6->sin6_addr));
    else
        memcpy(addr, &ip->sin_addr, sizeof(ip->sin_addr));
    *port = end->ss_family == AF_INET6 ? ip6->sin6_port : ip->sin_port;
}

/* Returns 1 with the row, 0 where there is no such socket, -1 where the
 * kernel cannot tell. */
static int find(int fd, const struct sockaddr_storage *local,
                const struct sockaddr_storage *remote, struct wire_row *row)
{
    _Alignas(struct nlmsghdr) char room[4096];
    struct nlmsghdr *head = (struct nlmsghdr *)room;
    struct question one = {
        .body = {.sdiag_family = (unsigned char)local->ss_family,
                 .idiag_states = ~0U,
                 .id.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}};

    put_end(local, one.body.id.idiag_src, &one.body.id.idiag_sport);
    put_end(remote, one.body.id.idiag_dst, &one.body.id.idiag_dport);
    ssize_t n = ask(fd, &one) < 0 ? -1 : recv(fd, room, sizeof(room), 0);
    if (n < 0 || !NLMSG_OK(head, (size_t)n))
        return -1;
    if (head->nlmsg_type == SOCK_DIAG_BY_FAMILY) {
        *row = row_of(NLMSG_DATA(head));
        return row->state != TCP_LISTEN; /* it would take such a connection */
    }
    const struct nlmsgerr *error = NLMSG_DATA(head);
    return head->nlmsg_type == NLMSG_ERROR && error->error == -ENOENT ? 0 : -1;
}

static bool is_none(const struct wire_row *row, void *arg)
{
    (void)row;
    return arg != NULL;
}

/* ENOENT says "no such socket", and, of a kernel without tcp_diag, nothing: we
 * ask it once for all sockets of no state. */
static bool tells_of_sockets(int fd)
{
    static _Atomic int tells = -1; /* not asked yet */
    struct question none = {.head.nlmsg_flags = NLM_F_DUMP,
                            .body.sdiag_family = AF_INET};

    if (tells < 0)
        tells = ask(fd, &none) == 0 && take_answers(fd, is_none, NULL) == 0;
    return tells;
}

int wire_each_of(const struct wire_ends *ends, size_t count, wire_look *look,
                 void *arg)
{
    int fd = open_diag();
    int found = fd >= 0 && tells_of_sockets(fd) ? 0 : -1;
    struct wire_row row;

    for (size_t i = 0; i < 2 * count && found == 0; i++) {
        const struct wire_ends *one = &ends[i / 2];
        int there = i % 2 ? find(fd, &one->remote, &one->local, &row)
                          : find(fd, &one->local, &one->remote, &row);

        if (there < 0)
            found = -1;
        else if (there > 0 && look(&row, arg))
            found = 1;
    }
    if (fd >= 0)
        close(fd);
    return found;
}

/* ---- proc_net(5) ---- */

/* The next number, as all there are: in hexadecimal digits. An address of
 * IPv6 is too long for it, and nobody asks. */
static unsigned long next_number(const char **at)
{
    unsigned long value = 0;

    while (**at && !isxdigit((unsigned char)**at))
        ++*at;
    for (; isxdigit((unsigned char)**at); ++*at)
        value = value * 16 + (unsigned long)(isdigit((unsigned char)**at)
                                                 ? **at - '0'
                                                 : (**at | 32) - 'a' + 10);
    return value;
}

/* sl: address:port address:port st tx:rx tr:when retransmits uid timeout
 * inode, which is decimal. A table has a thousand lines, too many for
 * sscanf(3). */
static struct wire_row read_row(const char *line)
{
    unsigned long number[13];

    for (int i = 0; i < 13; i++)
        number[i] = next_number(&line);
    return (struct wire_row){.local = (unsigned)number[2],
                             .remote = (unsigned)number[4],
                             .state = (unsigned)number[5],
                             .unacknowledged = (unsigned)number[6],
                             .unread = (unsigned)number[7],
                             .timer = (unsigned)number[8],
                             .retransmits = (unsigned)number[10],
                             .inode = strtoull(line, NULL, 10)};
}

int wire_each_by_proc(wire_look *look, void *arg)
{
    static const char *const tables[] = {"/proc/net/tcp", "/proc/net/tcp6"};
    int found = -1;

    for (int i = 0; i < 2; i++) {
        FILE *table = fopen(tables[i], "re");
        char line[512], room[16384];

        if (!table)
            continue;
        setvbuf(table, room, _IOFBF, sizeof(room));
        found = found < 0 ? 0 : found;
        if (!fgets(line, sizeof(line), table)) /* the columns' names */
            line[0] = '\0';
        while (found == 0 && fgets(line, sizeof(line), table)) {
            struct wire_row row = read_row(line);

            if (look(&row, arg))
                found = 1;
        }
        fclose(table);
    }
    return found;
}

int wire_each(bool listeners, wire_look *look, void *arg)
{
    int found = wire_each_by_diag(listeners, look, arg);

    return found < 0 ? wire_each_by_proc(look, arg) : found;
}
