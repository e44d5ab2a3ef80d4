/* A sandbox that kills a process that starts a thread, as sshd's and browsers' do: streams below 1 MiB never try, nor does
 * decompression with less than 1 MiB of input per call.
 * And a cgroup that allows no more tasks: serial, correct output, no messages. */
/* alone: limits the threads of a cgroup */
#include "check.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SECCOMP_RET_KILL_PROCESS
#define SECCOMP_RET_KILL_PROCESS 0x80000000U
#endif

enum { SMALL = 1000 << 10, LARGE = 4 << 20 };
static Bytef *plain, *packed, *back;
static size_t packed_len;

/* Like OpenSSH's sandbox: forbids clone, and queries about processors. */
static int forbid(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 5, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sched_getaffinity, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_gettid, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

static void *nothing(void *arg)
{
    return arg;
}

/* As check_unpacks(), with input in pieces. */
static void unpacks_in_pieces(const Bytef *from, size_t len, int window_bits)
{
    z_stream strm;
    inflate_start(&strm, window_bits);
    strm.next_in = (Bytef *)from, strm.next_out = back, strm.avail_out = LARGE;
    int code = Z_OK;
    for (size_t piece; code == Z_OK && len > 0; len -= piece) {
        piece = len < SMALL ? len : SMALL;
        strm.avail_in = (uInt)piece;
        code = inflate(&strm, Z_NO_FLUSH);
        CHECK_EQ(strm.avail_in, 0);
    }
    CHECK_EQ(code, Z_STREAM_END);
    CHECK(strm.total_out == LARGE && memcmp(back, plain, LARGE) == 0);
    CHECK_EQ(inflateEnd(&strm), Z_OK);
}

static void small_only(void)
{
    for (int level = 0; level <= 9; level++) {
        size_t len;
        Bytef *small = pack(plain, SMALL, level, 31, &len);
        check_unpacks(small, len, 31, plain, SMALL);
        free(small);
    }
    /* Flushed streams may be as long as they like. */
    z_stream strm;
    Bytef *out = allocate(compressBound(LARGE) + 1000);
    deflate_start(&strm, 1, 15);
    strm.next_out = out, strm.avail_out = (uInt)compressBound(LARGE) + 1000, strm.next_in = plain;
    for (int part = 0; part < 8; part++) {
        strm.avail_in = LARGE / 8;
        CHECK_EQ(deflate(&strm, Z_SYNC_FLUSH), Z_OK);
    }
    CHECK_EQ(deflate(&strm, Z_FINISH), Z_STREAM_END);
    unpacks_in_pieces(out, strm.total_out, 15);
    CHECK_EQ(deflateEnd(&strm), Z_OK);
    free(out);
    unpacks_in_pieces(packed, packed_len, 31);
    const char *path = scratch("forbidden.gz");
    gzFile file = gzopen(path, "wb");
    CHECK(file != NULL && gzwrite(file, plain, SMALL) == SMALL && gzclose(file) == Z_OK);
    file = gzopen(path, "rb");
    CHECK(file != NULL && gzread(file, back, SMALL) == SMALL && gzclose(file) == Z_OK);
    CHECK(memcmp(back, plain, SMALL) == 0);
    unlink(path);
}

/* A cgroup of our own that allows no further task. */
static int full_cgroup(char *folder, size_t room)
{
    char word[32];
    static const char *const roots[] = {"/sys/fs/cgroup/pids", "/sys/fs/cgroup"};
    for (int i = 0; i < 2; i++) {
        snprintf(folder, room, "%s/rigz-%ld", roots[i], (long)getpid());
        if (mkdir(folder, 0755) != 0)
            continue;
        char path[300];
        snprintf(path, sizeof path, "%s/pids.max", folder);
        int limit = open(path, O_WRONLY);
        snprintf(path, sizeof path, "%s/cgroup.procs", folder);
        int members = open(path, O_WRONLY), length = snprintf(word, sizeof word, "%ld", (long)getpid());
        int is_in = limit >= 0 && members >= 0 && write(members, word, (size_t)length) == length && write(limit, "1", 1) == 1;
        close(limit), close(members);
        if (is_in)
            return 1;
        rmdir(folder);
    }
    return 0;
}

int main(void)
{
    begin();
    plain = prose(LARGE, 243), back = allocate(LARGE);
    packed = pack(plain, LARGE, 6, 31, &packed_len);
    for (int kind = 0; kind < 3; kind++) {
        pid_t child = fork_for(200);
        if (child == 0) {
            pthread_t thread;
            char folder[200];
            if (kind < 2) {
                if (forbid() != 0) {
                    printf("note: no seccomp here\n");
                    fflush(stdout);
                    _exit(kind ? 128 + 31 : 0);
                }
                if (kind == 0)
                    small_only();
                else /* proves that the sandbox kills */
                    pthread_create(&thread, NULL, nothing, NULL);
                _exit(0);
            }
            if (!full_cgroup(folder, sizeof folder)) {
                printf("note: no cgroup of our own here\n");
                fflush(stdout);
                _exit(0);
            }
            CHECK(pthread_create(&thread, NULL, nothing, NULL) != 0);
            size_t len;
            Bytef *large = pack(plain, LARGE, 1, 31, &len);
            check_unpacks(large, len, 31, plain, LARGE);
            _exit(0);
        }
        CHECK_EQ(child_status(child), kind == 1 ? 128 + 31 : 0);
        char folder[200];
        static const char *const roots[] = {"/sys/fs/cgroup/pids", "/sys/fs/cgroup"};
        for (int i = 0; i < 2; i++) {
            snprintf(folder, sizeof folder, "%s/rigz-%ld", roots[i], (long)child);
            rmdir(folder);
        }
    }
    free(plain), free(packed), free(back);
    return 0;
}
