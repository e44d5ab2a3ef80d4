/* If no thread can be created (RLIMIT_NPROC, a seccomp filter), large writes succeed without any, and nothing is printed. */
/* alone: limits the threads of a user */
#include "check.h"
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#ifndef SYS_clone3
#define SYS_clone3 435
#endif

enum { LEN = 4 << 20 };
static Bytef *plain;

static void *nothing(void *arg)
{
    return arg;
}

/* Proves that the hazard is real, then compresses and decompresses. */
static void there_and_back(void)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, nothing, NULL) != 0);
    for (int level = 1; level <= 9; level += 4) {
        size_t len;
        Bytef *packed = pack(plain, LEN, level, 31, &len);
        check_unpacks(packed, len, 31, plain, LEN);
        free(packed);
    }
    gzFile file = gzopen("/dev/null", "wb6");
    CHECK(file != NULL);
    CHECK_EQ(gzwrite(file, plain, LEN), LEN);
    CHECK_EQ(gzclose(file), Z_OK);
}

static void no_processes_left(void)
{
    struct rlimit none = {1, 1};
    CHECK_EQ(setrlimit(RLIMIT_NPROC, &none), 0);
    if (geteuid() == 0) { /* the limit does not bind root */
        CHECK_EQ(setgroups(0, NULL), 0);
        CHECK_EQ(setresgid(65534, 65534, 65534), 0);
        CHECK_EQ(setresuid(65534, 65534, 65534), 0);
    }
    there_and_back();
}

/* Makes clone and clone3 fail with `error`, as a container's or a daemon's filter does. */
static void filtered(int error)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) {
        printf("note: no seccomp here\n");
        return;
    }
    there_and_back();
}

int main(void)
{
    begin();
    plain = prose(LEN, 241);
    for (int kind = 0; kind < 3; kind++) {
        pid_t child = fork_for(200);
        if (child == 0) {
            if (kind == 0)
                no_processes_left();
            else
                filtered(kind == 1 ? EPERM : EAGAIN);
            exit(0);
        }
        CHECK_EQ(child_status(child), 0);
    }
    free(plain);
    return 0;
}
