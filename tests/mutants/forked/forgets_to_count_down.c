/* Wrong: turns clients away while it has 128 children, and never learns
 * that some have ended: the 129th client and all behind it are refused.
 * Fails: concurrency
 * Line: none (what is missing)
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_CHILDREN = 128 };

static void quit(const char *because)
{
    perror(because);
    exit(EXIT_FAILURE);
}

static int Socket(void)
{
    const int yes = 1;
    int s = socket(PF_INET, SOCK_STREAM, IPPROTO_TCP);

    if (s < 0 || setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes))
        quit("socket");
    return s;
}

static void Bind(int s, unsigned port)
{
    struct sockaddr_in here;

    memset(&here, 0, sizeof here);
    here.sin_family = AF_INET;
    here.sin_port = htons((in_port_t)port);
    if (bind(s, (const struct sockaddr *)&here, sizeof here))
        quit("bind");
}

static void Listen(int s)
{
    if (listen(s, 256))
        quit("listen");
}

static int Accept(int s)
{
    int c = accept(s, NULL, NULL);

    while (c < 0) {
        if (errno != ECONNABORTED && errno != EPROTO && errno != EINTR)
            usleep(100 * 1000);
        c = accept(s, NULL, NULL);
    }
    return c;
}

/* Gives the exit status. */
static int child(int c)
{
    char piece[3000];
    size_t at = 0, have = 0;

    for (;;)
        if (at < have) {
            ssize_t w = write(c, piece + at, have - at);
            if (w < 0)
                return EXIT_FAILURE;
            at += (size_t)w;
        } else {
            ssize_t r = read(c, piece, sizeof piece);
            if (r <= 0)
                return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
            at = 0;
            have = (size_t)r;
        }
}

int main(int argc, char *argv[])
{
    unsigned port, children = 0;
    char junk;

    if (argc != 2)
        return fprintf(stderr, "usage: %s PORT\n", argv[0]), 2;
    errno = EINVAL;
    if (sscanf(argv[1], "%5u%c", &port, &junk) != 1 || port > 65535)
        quit(argv[1]);
    int s = Socket();
    Bind(s, port);
    Listen(s);
    for (;;) {
        int c = Accept(s);
        if (children == MOST_CHILDREN)
            fputs("too many clients\n", stderr);
        else
            switch (fork()) {
            case 0:
                close(s);
                _exit(child(c));
            case -1:
                perror("fork");
                break;
            default:
                children++;
            }
        close(c);
    }
}
