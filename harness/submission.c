/* submission.c - reading what was handed in, with suspicion. */
#define _GNU_SOURCE
#include "submission.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *read_all(int fd, size_t len)
{
    char *data = malloc(len + 1);
    size_t at = 0;

    while (data && at < len) {
        ssize_t n = read(fd, data + at, len - at);

        if (n <= 0) {
            free(data);
            errno = n < 0 ? errno : EIO; /* it shrank */
            return NULL;
        }
        at += (size_t)n;
    }
    if (data)
        data[len] = '\0';
    return data;
}

/* Opening a pipe must not wait for somebody to write into it. */
char *submission_load(const char *path, size_t most, size_t *len)
{
    int fd =
        open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat info;
    char *data = NULL;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &info) == 0) {
        *len = (size_t)info.st_size;
        errno = !S_ISREG(info.st_mode) ? EINVAL : EFBIG;
        if (S_ISREG(info.st_mode) && (uint64_t)info.st_size <= most)
            data = read_all(fd, *len);
    }
    int error = errno;
    close(fd);
    errno = error;
    return data;
}

/* What the student can do something about. */
static const char *reason(int error)
{
    switch (error) {
    case ELOOP:
        return "it is a symbolic link, and only regular files are taken";
    case EINVAL: /* a folder, a pipe, a device */
    case ENXIO:  /* a socket */
    case ENODEV:
        return "it is not a regular file";
    case EFBIG:
        return "it is larger than 1 MiB";
    case EACCES:
    case EPERM:
        return "it cannot be read: permission denied";
    default:
        return NULL;
    }
}

int submission_read(struct submission *submission, const char *folder,
                    const char *step)
{
    char path[PATH_MAX];

    memset(submission, 0, sizeof(*submission));
    snprintf(submission->file[0].name, sizeof(submission->file[0].name),
             "%.60s.c", step);
    strcpy(submission->file[1].name, "net.c");
    strcpy(submission->file[2].name, "net.h");
    for (int i = 0; i < SUBMISSION_FILES; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, submission->file[i].name);
        submission->file[i].data =
            submission_load(path, SUBMISSION_MOST, &submission->file[i].len);
        if (submission->file[i].data || errno == ENOENT || errno == ENOTDIR)
            continue;
        submission->file[i].refused = reason(errno);
        if (!submission->file[i].refused)
            return -1;
    }
    return 0;
}

void submission_release(struct submission *submission)
{
    for (int i = 0; i < SUBMISSION_FILES; i++)
        free(submission->file[i].data);
    memset(submission, 0, sizeof(*submission));
}

static int write_file(const char *path, const char *data, size_t len)
{
    int fd =
        open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);

    if (fd < 0)
        return -1;
    ssize_t n = write(fd, data, len);
    close(fd);
    return n == (ssize_t)len ? 0 : -1;
}

int submission_write(const struct submission *submission, const char *folder)
{
    char path[PATH_MAX];

    for (int i = 0; i < SUBMISSION_FILES; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, submission->file[i].name);
        if (submission->file[i].data &&
            write_file(path, submission->file[i].data,
                       submission->file[i].len) < 0)
            return -1;
    }
    return 0;
}

bool submission_refused(const struct submission *submission, char *words,
                        size_t size)
{
    for (int i = 0; i < SUBMISSION_FILES; i++)
        if (submission->file[i].refused) {
            snprintf(words, size, "there is no file %s: %s",
                     submission->file[i].name, submission->file[i].refused);
            return true;
        }
    return false;
}
