/* sandbox_landlock.c - where there are no walls: the kernel refuses the
 * files that are none of the submission's business, landlock(7).
 *
 * The numbers are those of linux/landlock.h, which not every system that has
 * landlock has, too. */
#define _GNU_SOURCE
#include "sandbox_internal.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CREATE_RULESET 444
#define ADD_RULE       445
#define RESTRICT_SELF  446

enum {
    EXECUTE = 1 << 0,
    WRITE_FILE = 1 << 1,
    READ_FILE = 1 << 2,
    READ_DIR = 1 << 3,
    ALL_1 = (1 << 13) - 1, /* ... and to make and remove: version 1 */
    REFER = 1 << 13,       /* 2 */
    TRUNCATE = 1 << 14,    /* 3 */
};
#define FOR_A_FILE (EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE)

#define SCOPE_ABSTRACT_SOCKETS 1 /* 6 */
#define SCOPE_SIGNALS          2

struct ruleset {
    uint64_t files;
    uint64_t network;
    uint64_t scoped;
};

struct rule {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

static int version(void)
{
    return (int)syscall(CREATE_RULESET, NULL, 0, 1);
}

bool sandbox_has_landlock(void)
{
    return version() >= 1;
}

static void allow(int ruleset, uint64_t handled, const char *path,
                  uint64_t access)
{
    struct rule rule = {.allowed = access & handled};
    struct stat info;

    rule.parent = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent < 0)
        return;
    if (fstat(rule.parent, &info) == 0 && !S_ISDIR(info.st_mode))
        rule.allowed &= FOR_A_FILE;
    syscall(ADD_RULE, ruleset, 1, &rule, 0);
    close(rule.parent);
}

static void allow_all(int ruleset, uint64_t handled)
{
    static const char *const system_folders[] = {
        "/usr",    "/bin",   "/sbin",
        "/lib",    "/lib32", "/lib64",
        "/libx32", "/proc",  "/sys/devices/system/cpu"};
    static const char *const devices[] = {
        "/dev/null",    "/dev/zero", "/dev/full", "/dev/random",
        "/dev/urandom", "/dev/pts",  "/dev/tty"};
    static const char *const settings[] = {
        "/etc/alternatives",  "/etc/ld.so.cache", "/etc/ld.so.preload",
        "/etc/hosts",         "/etc/host.conf",   "/etc/resolv.conf",
        "/etc/nsswitch.conf", "/etc/gai.conf",    "/etc/services",
        "/etc/protocols",     "/etc/passwd",      "/etc/group",
        "/etc/localtime"};

    for (size_t i = 0; i < sizeof(system_folders) / sizeof(char *); i++)
        allow(ruleset, handled, system_folders[i],
              EXECUTE | READ_FILE | READ_DIR);
    for (size_t i = 0; i < sizeof(settings) / sizeof(char *); i++)
        allow(ruleset, handled, settings[i], READ_FILE | READ_DIR);
    for (size_t i = 0; i < sizeof(devices) / sizeof(char *); i++)
        allow(ruleset, handled, devices[i],
              READ_FILE | WRITE_FILE | READ_DIR | TRUNCATE);
    allow(ruleset, handled, sandbox.kit, EXECUTE | READ_FILE | READ_DIR);
    allow(ruleset, handled, sandbox.scratch, ALL_1 | REFER | TRUNCATE);
}

int sandbox_landlock(void)
{
    int abi = version();
    struct ruleset wanted = {.files = ALL_1 | (abi >= 2 ? REFER : 0) |
                                      (abi >= 3 ? TRUNCATE : 0),
                             .scoped = SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS};
    size_t size = abi >= 6 ? sizeof(wanted) : sizeof(wanted.files);
    int ruleset = (int)syscall(CREATE_RULESET, &wanted, size, 0);

    if (ruleset < 0)
        return -1;
    allow_all(ruleset, wanted.files);
    int result = (int)syscall(RESTRICT_SELF, ruleset, 0);
    close(ruleset);
    return result;
}
