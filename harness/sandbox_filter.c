/* sandbox_filter.c - the calls that no exercise makes, and an attack on the
 * kernel or on a neighbour would: seccomp(2) by libseccomp.
 *
 * A list of what is denied. A list of what is allowed would have to foresee
 * every libc, compiler and valgrind; the walls stand without this filter. */
#define _GNU_SOURCE
#include "sandbox_internal.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* By name: a call that this machine does not know is passed over. */
static const char *const not_permitted[] = {
    /* other processes */
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise",
    "kcmp", "pidfd_getfd", "migrate_pages", "move_pages",
    /* the machine */
    "reboot", "swapon", "swapoff", "sethostname", "setdomainname",
    "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "stime",
    "syslog", "acct", "quotactl", "quotactl_fd", "iopl", "ioperm",
    "init_module", "finit_module", "delete_module", "create_module",
    "kexec_load", "kexec_file_load", "vhangup", "_sysctl", "nfsservctl",
    /* namespaces and mounts */
    "mount", "umount", "umount2", "pivot_root", "chroot", "setns", "unshare",
    "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick",
    "mount_setattr", "name_to_handle_at", "open_by_handle_at",
    /* large and seldom used parts of the kernel */
    "bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key",
    "fanotify_init", "lookup_dcookie", "modify_ldt", "vm86", "vm86old",
    "mq_open", "memfd_secret", "uselib"};

/* As on a kernel without them: libc then takes another way. clone3 hides its
 * flags from a filter. */
static const char *const not_there[] = {"clone3", "io_uring_setup",
                                        "io_uring_enter", "io_uring_register"};

static int deny(scmp_filter_ctx filter, int error, const char *name)
{
    int call = seccomp_syscall_resolve_name(name);

    if (call == __NR_SCMP_ERROR)
        return 0;
    return seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)error), call, 0);
}

/* In full, which the header's macros are not for clang's taste. */
static struct scmp_arg_cmp argument(unsigned index, enum scmp_compare how,
                                    scmp_datum_t a, scmp_datum_t b)
{
    return (struct scmp_arg_cmp){
        .arg = index, .op = how, .datum_a = a, .datum_b = b};
}

/* With one of these flags set in the first argument. */
static int deny_clone(scmp_filter_ctx filter)
{
    static const uint64_t flags[] = {CLONE_NEWUSER,  CLONE_NEWNS,  CLONE_NEWPID,
                                     CLONE_NEWNET,   CLONE_NEWIPC, CLONE_NEWUTS,
                                     CLONE_NEWCGROUP};
    int result = 0;

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        result |= seccomp_rule_add(
            filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
            argument(0, SCMP_CMP_MASKED_EQ, flags[i], flags[i]));
    return result;
}

/* Sockets: the local ones, IPv4, IPv6, and what tells of interfaces. */
static int deny_families(scmp_filter_ctx filter)
{
    int result =
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket),
                         1, argument(0, SCMP_CMP_GT, AF_NETLINK, 0));

    for (int family = AF_INET + 1; family < AF_NETLINK; family++)
        if (family != AF_INET6)
            result |= seccomp_rule_add(
                filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
                argument(0, SCMP_CMP_EQ, (scmp_datum_t)family, 0));
    return result;
}

/* No typing into a terminal. Where the kernel objects of System V are the
 * machine's, none that outlives its processes; and no hiding from a census
 * that has no privilege to look all the same. */
static int deny_arguments(scmp_filter_ctx filter)
{
    int result =
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                         argument(1, SCMP_CMP_MASKED_EQ, 0xffffffff, TIOCSTI));

    if (sandbox.kind == SANDBOX_NAMESPACES)
        return result;
    return result | deny(filter, EPERM, "shmget") |
           deny(filter, EPERM, "semget") | deny(filter, EPERM, "msgget") |
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prctl), 2,
                            argument(0, SCMP_CMP_EQ, PR_SET_DUMPABLE, 0),
                            argument(1, SCMP_CMP_EQ, 0, 0));
}

static int add_rules(scmp_filter_ctx filter)
{
    int result = 0;

    for (size_t i = 0; i < sizeof(not_permitted) / sizeof(char *); i++)
        result |= deny(filter, EPERM, not_permitted[i]);
    for (size_t i = 0; i < sizeof(not_there) / sizeof(char *); i++)
        result |= deny(filter, ENOSYS, not_there[i]);
    return result | deny_clone(filter) | deny_families(filter) |
           deny_arguments(filter);
}

/* The program for prctl(2), which costs a child nothing to load. */
static int export_to(scmp_filter_ctx filter, struct sock_fprog *program)
{
    int file = memfd_create("filter", MFD_CLOEXEC);

    if (file < 0)
        return -1;
    off_t len =
        seccomp_export_bpf(filter, file) == 0 ? lseek(file, 0, SEEK_END) : -1;
    program->filter = len > 0 ? malloc((size_t)len) : NULL;
    if (program->filter &&
        pread(file, program->filter, (size_t)len, 0) == (ssize_t)len)
        program->len =
            (unsigned short)((size_t)len / sizeof(program->filter[0]));
    close(file);
    return program->len > 0 ? 0 : -1;
}

int sandbox_make_filter(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int result = -1;

    if (filter && add_rules(filter) == 0)
        result = export_to(filter, &sandbox.filter);
    if (filter)
        seccomp_release(filter);
    return result < 0 ? sandbox_in_trouble("seccomp") : 0;
}
