/* sandbox_walls.c - a file system of its own: mount_namespaces(7). */
#define _GNU_SOURCE
#include "sandbox_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Where the new root is put together: any folder will do. */
#define ROOT "/tmp"

#define SCRATCH_OPTIONS "mode=0777,size=256m,nr_inodes=16k"

/* What is shown read-only, where there is such a thing. A symbolic link of
 * the root (/lib -> usr/lib) stays one. */
static const char *const shown[] = {"/usr",
                                    "/bin",
                                    "/sbin",
                                    "/lib",
                                    "/lib32",
                                    "/lib64",
                                    "/libx32",
                                    "/etc/alternatives",
                                    "/etc/ld.so.cache",
                                    "/etc/hosts",
                                    "/etc/host.conf",
                                    "/etc/resolv.conf",
                                    "/etc/nsswitch.conf",
                                    "/etc/gai.conf",
                                    "/etc/services",
                                    "/etc/protocols",
                                    "/etc/passwd",
                                    "/etc/group",
                                    "/etc/localtime"};

static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full",
                                      "/dev/random", "/dev/urandom"};

static int bind(const char *from, const char *to)
{
    return mount(from, to, NULL, MS_BIND | MS_REC, NULL);
}

/* All that is mounted below, too, where the kernel can (5.12). A flag that
 * the mount has already may be locked, and stays. */
static int make_read_only(const char *path)
{
    /* mount_setattr(2), whose header not every libc agrees with */
    const struct {
        uint64_t set, clear, propagation, users;
    } read_only = {.set = 1 | 2}; /* and nosuid */

    if (syscall(442, AT_FDCWD, path, AT_RECURSIVE, &read_only,
                sizeof(read_only)) == 0)
        return 0;
    struct statvfs now;
    unsigned long flags = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID;

    if (statvfs(path, &now) < 0)
        return -1;
    flags |= now.f_flag &
             (MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_RELATIME);
    return mount(NULL, path, NULL, flags, NULL);
}

static int make_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);

    if (fd < 0)
        return -1;
    return close(fd);
}

/* `path` in the new root, as a mount point of the same kind. */
static int show(const char *path, bool read_only)
{
    char at[PATH_MAX], link[PATH_MAX];
    struct stat info;

    snprintf(at, sizeof(at), "%s%s", ROOT, path);
    if (lstat(path, &info) < 0)
        return 0;
    if (S_ISLNK(info.st_mode) && !strchr(path + 1, '/')) {
        ssize_t len = readlink(path, link, sizeof(link) - 1);

        link[len < 0 ? 0 : len] = '\0';
        return symlink(link, at);
    }
    if (stat(path, &info) < 0)
        return 0; /* a link into the void */
    if ((S_ISDIR(info.st_mode) ? mkdir(at, 0755) : make_file(at)) < 0 ||
        bind(path, at) < 0)
        return -1;
    return read_only ? make_read_only(at) : 0;
}

static int show_system(void)
{
    if (mkdir(ROOT "/etc", 0755) < 0)
        return sandbox_in_trouble("cannot make a root");
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
        if (show(shown[i], true) < 0)
            return sandbox_in_trouble(shown[i]);
    return 0;
}

static int make_devices(void)
{
    if (mkdir(ROOT "/dev", 0755) < 0)
        return sandbox_in_trouble("cannot make a root");
    for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
        if (show(devices[i], false) < 0)
            return sandbox_in_trouble(devices[i]);
    if (mkdir(ROOT "/dev/pts", 0755) < 0 ||
        mount("devpts", ROOT "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
              "newinstance,ptmxmode=0666,mode=0666") < 0)
        return sandbox_in_trouble("cannot mount devpts");
    if (symlink("pts/ptmx", ROOT "/dev/ptmx") < 0 ||
        symlink("/proc/self/fd", ROOT "/dev/fd") < 0 ||
        symlink("../scratch", ROOT "/dev/shm") < 0)
        return sandbox_in_trouble("cannot make a root");
    return 0;
}

static int make_folders(void)
{
    if (mkdir(ROOT "/proc", 0755) < 0 ||
        mount("proc", ROOT "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
              NULL) < 0)
        return sandbox_in_trouble("cannot mount /proc");
    if (mkdir(ROOT "/scratch", 0755) < 0 || mkdir(ROOT "/kit", 0755) < 0 ||
        symlink("scratch", ROOT "/tmp") < 0 ||
        mount("scratch", ROOT "/scratch", "tmpfs", MS_NOSUID | MS_NODEV,
              SCRATCH_OPTIONS) < 0 ||
        mount("kit", ROOT "/kit", "tmpfs", MS_NOSUID | MS_NODEV,
              "mode=0755,size=64m") < 0)
        return sandbox_in_trouble("cannot make the scratch folder");
    return 0;
}

/* The kit or a submission may lie below /usr. */
static int hide(void)
{
    char at[PATH_MAX + sizeof(ROOT)];

    for (int i = 0; i < SANDBOX_HIDDEN && sandbox_hidden[i][0]; i++) {
        snprintf(at, sizeof(at), "%s%.*s", ROOT, PATH_MAX, sandbox_hidden[i]);
        if (access(at, F_OK) == 0 &&
            mount("hidden", at, "tmpfs", MS_RDONLY, "size=4k") < 0)
            return sandbox_in_trouble("cannot hide the kit");
    }
    return 0;
}

/* pivot_root(2): the old root is put on top of the new one, and let go. */
static int leave_old_root(void)
{
    if (chdir(ROOT) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
        umount2(".", MNT_DETACH) < 0 || chdir("/") < 0 ||
        mount(NULL, "/", NULL,
              MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV,
              NULL) < 0)
        return sandbox_in_trouble("cannot change the root");
    return 0;
}

int sandbox_raise_walls(void)
{
    umask(022);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("root", ROOT, "tmpfs", MS_NOSUID | MS_NODEV,
              "mode=0755,size=1m") < 0)
        return sandbox_in_trouble("cannot mount a root");
    if (show_system() < 0 || make_devices() < 0 || make_folders() < 0 ||
        hide() < 0)
        return -1;
    strcpy(sandbox.kit, "/kit");
    strcpy(sandbox.scratch, "/scratch");
    return leave_old_root();
}
