/* sandbox_folders.c - the kit's folder and the scratch: made where there are no
 * walls to make them in, filled, and removed with whatever else lies about. */
#define _GNU_SOURCE
#include "sandbox_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Where files can be executed, and any user can come. */
int sandbox_make_folders(void)
{
    static const char *const places[] = {"/tmp", "/var/tmp", "/dev/shm"};
    char base[PATH_MAX / 2];
    struct statvfs info;

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        snprintf(base, sizeof(base), "%s/faultline.XXXXXX", places[i]);
        if (statvfs(places[i], &info) < 0 || (info.f_flag & ST_NOEXEC) ||
            !mkdtemp(base))
            continue;
        snprintf(sandbox.kit, sizeof(sandbox.kit), "%s/kit", base);
        snprintf(sandbox.scratch, sizeof(sandbox.scratch), "%s/scratch", base);
        if (chmod(base, 0755) == 0 && mkdir(sandbox.kit, 0755) == 0 &&
            mkdir(sandbox.scratch, 0700) == 0 &&
            (sandbox.kind == SANDBOX_PLAIN ||
             chown(sandbox.scratch, sandbox.uid, sandbox.gid) == 0))
            return 0;
        int error = errno;
        rmdir(sandbox.scratch);
        rmdir(sandbox.kit);
        rmdir(base);
        errno = error;
    }
    return sandbox_in_trouble("no scratch folder");
}

/* rm(1) knows every trick that a tree can play on who removes it. */
static void run_and_wait(const char *const argv[])
{
    pid_t pid = fork();

    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);

        dup2(null, 1);
        dup2(null, 2);
        execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    if (pid > 0)
        sandbox_await(pid);
}

void sandbox_remove_folders(void)
{
    char *slash = strrchr(sandbox.scratch, '/');

    if (!slash)
        return;
    *slash = '\0';
    const char *const remove[] = {"rm", "-rf", "--", sandbox.scratch, NULL};
    const char *const unlock[] = {"chmod",         "-R", "u+rwx", "--",
                                  sandbox.scratch, NULL};
    run_and_wait(remove);
    if (access(sandbox.scratch, F_OK) < 0)
        return;
    run_and_wait(unlock); /* folders that even their owner cannot read */
    run_and_wait(remove);
}

/* What it left elsewhere, which landlock would have refused it. */
void sandbox_remove_strays(void)
{
    char user[16];

    snprintf(user, sizeof(user), "%u", sandbox.uid);
    run_and_wait((const char *const[]){"find", "/tmp", "/var/tmp", "/dev/shm",
                                       "-xdev", "-depth", "-uid", user,
                                       "-delete", NULL});
}

/* ---- What the kit brings in ---- */

int sandbox_lock_kit(bool locked)
{
    if (sandbox.kind != SANDBOX_NAMESPACES)
        return 0;
    return mount(NULL, sandbox.kit, NULL,
                 MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV |
                     (locked ? MS_RDONLY : 0),
                 NULL);
}

static int write_whole(const char *path, const char *data, size_t len,
                       mode_t mode)
{
    int fd =
        open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return -1;
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n <= 0)
            break;
        data += n;
        len -= (size_t)n;
    }
    int result = len == 0 ? fchmod(fd, mode) : -1;
    close(fd);
    return result;
}

int sandbox_install(const char *name, const void *data, size_t len, mode_t mode,
                    char *path, size_t size)
{
    snprintf(path, size, "%s/%s", sandbox.kit, name);
    if (sandbox.kind == SANDBOX_UID)
        setfsuid(0);
    int result =
        sandbox_lock_kit(false) < 0 ? -1 : write_whole(path, data, len, mode);
    if (sandbox.kind == SANDBOX_UID)
        setfsuid(sandbox.uid);
    return sandbox_lock_kit(true) < 0 ? -1 : result;
}
