/* expect_census.c - what the kernel shall show: processes, threads, zombies,
 * descriptors. */
#define _GNU_SOURCE
#include "play_internal.h"

#include "wire.h"

#include <stdio.h>
#include <string.h>

/* What there is of it; nothing where we cannot look. */
static struct rest look(struct play *play)
{
    struct rest now;

    if (rest_look(&now, play->program) < 0)
        memset(&now, 0, sizeof(now));
    return now;
}

size_t play_children(struct play *play, pid_t *pids, size_t most)
{
    struct census own, orphans;
    size_t count = 0;

    census_take(&own, play->program->server, 0);
    census_take(&orphans, getpid(), play->program->server);
    for (size_t i = 0; i < own.count && count < most; i++)
        if (own.process[i].pid != play->program->pid &&
            own.process[i].state != 'Z')
            pids[count++] = own.process[i].pid;
    for (size_t i = 0; i < orphans.count && count < most; i++)
        if (orphans.process[i].state != 'Z')
            pids[count++] = orphans.process[i].pid;
    census_release(&own);
    census_release(&orphans);
    return count;
}

unsigned play_processes(struct play *play)
{
    return (unsigned)look(play).processes;
}

#define FDS 256

bool play_holds(const struct play *play, pid_t pid, const struct peer *peer)
{
    struct census_fd fds[FDS];
    uint64_t inodes[4];
    size_t count = wire_inodes(play->port, peer, inodes, 4);
    int open = count > 0 ? census_fds(pid, fds, FDS) : 0;

    for (int i = 0; i < open && i < FDS; i++)
        for (size_t n = 0; fds[i].kind == CENSUS_SOCKET && n < count; n++)
            if (fds[i].inode == inodes[n])
                return true;
    return false;
}

static bool is_count(struct play *play, void *arg)
{
    return play_processes(play) == *(unsigned *)arg;
}

/* Fails for what is there at rest, not for what it is doing. */
static bool comes_true(struct play *play, play_condition *holds, void *arg)
{
    return play_come_true(play, holds, arg) == END_HOLDS;
}

void expect_processes(struct play *play, unsigned count)
{
    char expected[64], words[600];

    snprintf(expected, sizeof(expected), "the program has %u process%s", count,
             count == 1 ? "" : "es");
    if (comes_true(play, is_count, &count))
        return;
    unsigned came = play_processes(play);
    play_blame_for(play, came > count ? BLAME_PROCESSES : BLAME_GONE);
    play_fail(play, expected, "at rest, it has %u: %s", came,
              play_describe_threads(play, words, sizeof(words)));
}

static bool no_zombies(struct play *play, void *arg)
{
    struct rest *now = arg;

    *now = look(play);
    return now->zombies == 0;
}

void expect_no_zombies(struct play *play)
{
    struct rest now;

    play_blame_for(play, BLAME_CHILDREN);
    if (!comes_true(play, no_zombies, &now))
        play_fail(play, "no child that has ended is left as a zombie",
                  "at rest, %zu of its children %s zombie%s", now.zombies,
                  now.zombies == 1 ? "is a" : "are",
                  now.zombies == 1 ? "" : "s");
    play_blame_for(play, BLAME_BY_ITSELF);
}

static bool thread_count(struct play *play, void *arg)
{
    return census_thread_count(play->program->pid) == *(unsigned *)arg;
}

void expect_threads(struct play *play, unsigned count)
{
    char expected[64], words[600];

    snprintf(expected, sizeof(expected), "its process has %u thread%s", count,
             count == 1 ? "" : "s");
    if (comes_true(play, thread_count, &count))
        return;
    size_t came = census_thread_count(play->program->pid);
    play_blame_for(play, came > count ? BLAME_THREADS : BLAME_NOTHING);
    play_fail(play, expected, "at rest, it has %zu: %s", came,
              play_describe_threads(play, words, sizeof(words)));
}

static int descriptors(struct play *play, struct census_fd *fds)
{
    return census_fds(play->program->pid, fds, PLAY_DESCRIPTORS);
}

void play_count_descriptors(struct play *play)
{
    play_settle(play);
    play->descriptor_count = (unsigned)descriptors(play, play->descriptor);
    play->held = census_held(play->program->pid);
}

static bool same_descriptors(struct play *play, void *arg)
{
    (void)arg;
    return !census_holds_more(play->held, census_held(play->program->pid));
}

static bool was_there(const struct play *play, const struct census_fd *fd)
{
    for (unsigned i = 0; i < play->descriptor_count && i < PLAY_DESCRIPTORS;
         i++)
        if (play->descriptor[i].fd == fd->fd &&
            play->descriptor[i].inode == fd->inode)
            return true;
    return false;
}

/* One that was not there before: the last of those that are listed. */
static bool find_new(struct play *play, const struct census_fd *now, int count)
{
    for (int i = count < PLAY_DESCRIPTORS ? count : PLAY_DESCRIPTORS; i-- > 0;)
        if (!was_there(play, &now[i])) {
            play->blame_fd = now[i].fd;
            return true;
        }
    return false;
}

void expect_same_descriptors(struct play *play)
{
    struct census_fd now[PLAY_DESCRIPTORS];

    expect_alive(play);
    if (comes_true(play, same_descriptors, NULL))
        return;
    int count = descriptors(play, now);
    play_blame_for(play, find_new(play, now, count) ? BLAME_DESCRIPTOR
                                                    : BLAME_NOTHING);
    play_fail(play, "the server holds no more descriptors than before",
              "it held %u and now holds %d", play->descriptor_count, count);
}
